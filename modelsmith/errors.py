"""What can go wrong, as one tree.

::

    ModelsmithError                 everything the user is told in one sentence; exit code 3
    ├── UsageError                  the command line or a recipe's inputs are wrong; exit code 2
    ├── InvalidModelName
    ├── InvalidDigest
    ├── InvalidParameter
    ├── ModelfileRefused            Ollama would refuse this Modelfile
    ├── UnquotableValue             no quoting carries this value through Ollama's parser
    ├── TemplateError
    │   ├── TemplateSyntaxError     Go or Ollama refuses the template when it is created
    │   ├── TemplateRenderError     it parses, and fails when it is rendered
    │   ├── InjectionError          a template edit that could not be made, or not be proven
    │   └── ConversionError         a template that has no counterpart in the other language
    ├── UnreadableFile              a file that is missing, not regular, not ours to read, or changed meanwhile
    │   └── BinaryFile              a file that is no text, where only text is read and written
    ├── InvalidGGUF
    ├── InvalidCheckpoint           Safetensors, or a folder of them, that are damaged, incomplete or hostile
    ├── InvalidAdapter              a LoRA adapter that is damaged, or does not fit the model
    ├── StoreError
    │   ├── ModelNotFound
    │   ├── BlobNotFound
    │   ├── DigestMismatch
    │   └── ServerError             an Ollama server answered with an error, or not at all
    ├── EngineError                 a model could not be run, or what it was run on answered with garbage
    │   └── RecordingMismatch       a recorded answer that is not there, or belongs to another prompt or model
    ├── HubError                    the Hugging Face Hub refused, or has not what was asked for
    ├── RecipeError                 a recipe that cannot be read; carries diagnostics; exit code 2
    │   └── UnreadableRecipe        one that needs another, which cannot be read; exit code 3
    ├── RecipeSourceError           a repository or an artifact of recipes that cannot be read
    ├── PlanChanged                 the world moved between plan and apply
    ├── VerificationFailed          what was written is not what was planned
    ├── RollOutFailed               a host failed, and the others were put back
    └── Unsupported                 this backend cannot do it; the message says which one can
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.hidden import unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source


class ModelsmithError(Exception):
    """An error with a sentence for the user: what is wrong and, as ``hint``, the way out.

    ``is_shown`` says that a command has printed it already, with its place in a text, and only its exit code is left to say.
    """

    exit_code = 3
    is_shown = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        message = unseen(message)
        super().__init__(message)
        self.message = message
        self.hint = unseen(hint)

    def __str__(self) -> str:
        return self.message


class UsageError(ModelsmithError):
    """The command was used in a way that cannot work."""

    exit_code = 2


class InvalidModelName(ModelsmithError):
    """A text that Ollama does not accept as the name of a model."""


class InvalidDigest(ModelsmithError):
    """A text that is not ``sha256:`` and 64 lower-case hexadecimal digits."""


class InvalidParameter(ModelsmithError):
    """A PARAMETER whose name or value Ollama refuses."""


class ModelfileRefused(ModelsmithError):
    """Ollama would refuse this Modelfile; ``line`` is the line it would name, if it names one."""

    def __init__(self, message: str, *, line: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class UnquotableValue(ModelsmithError):
    """A value that no quoting of the Modelfile language can carry."""


class TemplateError(ModelsmithError):
    """A template that does not do what it should."""


class TemplateSyntaxError(TemplateError):
    """Go's ``text/template`` or Ollama refuses the template; ``offset`` points into its text (code points)."""

    def __init__(self, message: str, *, line: int | None = None, offset: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.offset = offset


class TemplateRenderError(TemplateError):
    """The template parses but fails on this conversation (Ollama would answer HTTP 500)."""


class RenderingLimitReached(ModelsmithError):
    """The templates of one command want more time or text than one command may spend on rendering."""


class InjectionError(TemplateError):
    """A template edit that has no place to go, or whose proof by rendering failed."""


class ClosedReasoningError(InjectionError):
    """A template that itself closes the reasoning that an edit would open."""


class ConversionError(TemplateError):
    """A template that cannot be put into the other template language."""


class UnreadableFile(ModelsmithError):
    """A file that is missing, not a regular file, not ours to read, or that changed while it was read."""


class BinaryFile(UnreadableFile):
    """A file that is no text: it is never edited as one."""


class InvalidGGUF(ModelsmithError):
    """A file that is not a GGUF, or a damaged or hostile one.

    ``offset`` is the byte of the file where that shows, ``expected`` what should have been there ("" where it has no place).
    """

    def __init__(self, message: str, *, offset: int | None = None, expected: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
        self.expected = expected


class InvalidCheckpoint(ModelsmithError):
    """Safetensors, or a folder of them, that are damaged, incomplete or hostile."""


class InvalidAdapter(ModelsmithError):
    """A LoRA adapter that is damaged, or that does not fit the model it should be merged into."""


class StoreError(ModelsmithError):
    """A store that cannot be read or written."""


class ModelNotFound(StoreError):
    """No model of this name in the store."""


class BlobNotFound(StoreError):
    """A blob that a manifest or a request names is not there."""


class DigestMismatch(StoreError):
    """Bytes whose SHA-256 is not the one they were announced with."""


class ServerError(StoreError):
    """A server that answered with an error (``status``), or did not answer (``status`` 0).

    ``request`` is the method and the URL (without credentials), ``text`` the server's own words.
    """

    def __init__(self, message: str, *, status: int = 0, request: str = "", text: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request = request
        self.text = text


class EngineError(ModelsmithError):
    """A model could not be run: the engine is not there, hangs, died, or answered with what is no answer."""


class RecordingMismatch(EngineError):
    """A recording has no answer to a request, or one that was given to another prompt or by another model."""


class HubError(ModelsmithError):
    """The Hugging Face Hub refused (``status``), does not answer (``status`` 0), or has not what was asked for."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RecipeError(ModelsmithError):
    """A recipe that cannot be read; ``diagnostics`` hold the places."""

    exit_code = 2

    def __init__(
        self, message: str, diagnostics: tuple[Diagnostic, ...], source: Source | None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics
        self.source = source


class RecipeSourceError(ModelsmithError):
    """A place that recipes come from and that cannot be read: a repository, an artifact of a registry."""


class UnreadableRecipe(RecipeError):
    """A recipe that needs another one which cannot be read; ``diagnostics`` say where it is named."""

    exit_code = 3


class PlanChanged(ModelsmithError):
    """Something the plan rests on changed before it was applied."""


class VerificationFailed(ModelsmithError):
    """The result was read back and is not what was planned."""


class RollOutFailed(ModelsmithError):
    """A model that could not be rolled out to every host; the message says what was put back, and what could not be."""


class Unsupported(ModelsmithError):
    """This store or file cannot do what was asked; the hint names one that can."""


def refused(error: OSError) -> ModelsmithError:
    """Return what the operating system refused as an error for the user: the place and the reason."""
    reason = error.strerror or str(error)
    place = f"{error.filename}: " if error.filename is not None else ""
    return UnreadableFile(f"{place}{reason}", hint="check that the path is right and that this user may use it")


@contextmanager
def system_errors() -> Iterator[None]:
    """Turn what the operating system refuses into errors for the user; for functions, use it as a decorator."""
    try:
        yield
    except OSError as error:
        raise refused(error) from error
