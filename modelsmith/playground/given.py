"""What somebody gave the page: a text of one kind, the Jinja template beside it, a GGUF that was opened, a version of Ollama."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from modelsmith.errors import ModelfileRefused, Unsupported, UsageError
from modelsmith.files.paths import looks_like_path
from modelsmith.models.base import Base, Inherited, brought_along
from modelsmith.models.draft import Draft
from modelsmith.models.inherited import gguf_inherited
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.versions import NEWEST, Version, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

TextKind = Literal["modelfile", "go", "jinja"]
NAMES: Mapping[TextKind, str] = {"modelfile": "Modelfile", "go": "template.gotmpl", "jinja": "chat_template.jinja"}
"""What a text of a kind is called in messages."""

MOST_TEXT = 2_000_000
"""Characters of a text that the page takes."""

BARE = "a template alone: its model's weights, parameters and other templates are not known"
_HERE = Path("/")


@dataclass(frozen=True, slots=True)
class Given:
    """One state of the page.

    ``beside`` is the Jinja template that the model's GGUF has ("" where it is not known), ``weights`` the GGUF that was
    opened, ``version`` the Ollama that the model is for.
    """

    kind: TextKind
    text: str
    beside: str = ""
    version: str = str(NEWEST)
    weights: Path | None = None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Given:
        """Read a request's part of that name; raises UsageError for what the page could not have sent."""
        kind, text, beside = request.get("kind"), request.get("text", ""), request.get("beside", "")
        version, weights = request.get("version") or str(NEWEST), request.get("weights") or ""
        if kind not in NAMES:
            raise UsageError(f'"{kind!s:.40}" is no kind of text', hint=f"one of {', '.join(NAMES)}")
        if not all(isinstance(part, str) for part in (text, beside, version, weights)):
            raise UsageError("text, beside, version and weights have to be texts")
        for part in (text, beside):
            if len(part) > MOST_TEXT:
                raise UsageError(
                    f"the text has {len(part):,} characters; the page takes {MOST_TEXT:,}",
                    hint="install modelsmith and use its commands for files as long as this",
                )
        return cls(
            cast("TextKind", kind),
            text,
            beside,
            str(resolve(Version.parse(version))),
            Path(weights) if weights else None,
        )

    @property
    def name(self) -> str:
        """What messages call the text."""
        return NAMES[self.kind]

    def draft(self) -> tuple[Draft, str]:
        """Return the model that this makes, and why nothing is known of what FROM brings along ("" where it is).

        Raises ModelfileRefused where Ollama refuses the Modelfile.
        """
        if self.kind != "modelfile":
            inherited = (
                Inherited(template=self.text, chat_template=self.beside or None, chat_template_known=bool(self.beside))
                if self.kind == "go"
                else Inherited(chat_template=self.text)
            )
            missing = "" if self.kind == "go" and self.beside else BARE
            return Draft.start(Base(self.name, Modelfile.parse(""), _HERE, inherited), self.version), missing
        modelfile = Modelfile.parse(self.text)
        reading = modelfile.as_ollama(self.version)
        if reading.error is not None:
            raise ModelfileRefused(
                f"Ollama refuses this Modelfile: {reading.error.message}",
                line=reading.error.line,
                hint="what it cannot read is marked in the text",
            )
        inherited, missing = self._brought(modelfile)
        return Draft.start(Base(self.name, modelfile, _HERE, inherited, missing), self.version), missing

    def _brought(self, modelfile: Modelfile) -> tuple[Inherited, str]:
        if self.weights is not None:
            found = gguf_brings(self.weights)
            return brought_along(found, modelfile, found.chat_template), ""
        if self.beside:
            found = Inherited(chat_template=self.beside, imported=True)
            return brought_along(found, modelfile, self.beside), ""
        origin = modelfile.from_ or "its FROM"
        what = "the file" if looks_like_path(origin) else "the model"
        return Inherited(), f"{what} {origin} is not here: open its .gguf, or paste its Jinja template"


@lru_cache(maxsize=2)
def gguf_brings(weights: Path) -> Inherited:
    """Return what FROM a GGUF brings along; raises ModelsmithError where it is no model."""
    found = gguf_inherited(weights)
    if found is None:
        raise Unsupported(
            f"{weights.name} is no text model: it is a projector or an adapter", hint="open the model that it goes with"
        )
    return found
