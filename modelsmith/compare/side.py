"""One side of a comparison: a model, a Modelfile, a GGUF or a bare template, as far as it can be read here.

A Modelfile whose FROM is not at hand is still compared by what it says itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import (
    ModelNotFound,
    StoreError,
    TemplateError,
    TemplateSyntaxError,
)
from modelsmith.models.draft import CHAT_TEMPLATE_KEY, Draft
from modelsmith.models.find import find_base
from modelsmith.models.sources.bare import is_bare, is_jinja, template_base

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.store import Store
    from modelsmith.template.effective.effective import EffectiveTemplate
    from modelsmith.weights.gguf import GGUFFile

SIZE = "size in bytes"
_SMALL = 1 << 16


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared: ``kind`` is ``model``, ``Modelfile``, ``GGUF``, ``Go template`` or ``Jinja template``.

    ``modelfile`` is its text where it is one, ``metadata`` what the GGUF says (None where no GGUF can be read here),
    ``notes`` what could not be compared, ``from_known`` whether what FROM names was found.
    """

    spec: str
    kind: str
    draft: Draft
    modelfile: str | None = None
    metadata: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    from_known: bool = True

    @property
    def is_bare(self) -> bool:
        """Whether it is a template and nothing else: no parameters, no weights."""
        return self.kind.endswith("template")

    @property
    def effective(self) -> EffectiveTemplate:
        """The template that runs."""
        return self.draft.effective

    @property
    def reason(self) -> str:
        """Why this template runs; an empty text for a bare template, which nothing competes with."""
        if self.is_bare:
            return ""
        if self.from_known or self.draft.renderer:
            return self.effective.reason
        return "FROM is not at hand; a Jinja template inside its GGUF could win over what is said here"

    @property
    def unseen(self) -> str:
        """Where the prompts come from when they cannot be rendered here: Ollama's own code, or a FROM that is not at hand."""
        if self.effective.source == "renderer":
            return f"Ollama's own code (RENDERER {self.draft.renderer})"
        if self.effective.source == "harmony":
            return "Ollama's own code (harmony)"
        if not self.from_known and not self.draft.modelfile.template:
            return f"FROM {self.draft.modelfile.from_}, which is not at hand"
        return ""

    def with_tokens_of(self, other: Side) -> Side:
        """Return a bare Jinja template with the texts that BOS and EOS have in the model it is compared with."""
        ends = other.draft.inherited.ends
        if self.kind != "Jinja template" or not (ends["bos_token"] or ends["eos_token"]):
            return self
        inherited = replace(self.draft.base.inherited, ends=ends)
        draft = replace(self.draft, base=replace(self.draft.base, inherited=inherited))
        return replace(self, draft=draft, notes=(*self.notes, f"rendered with the BOS and EOS tokens of {other.spec}"))


def find_side(spec: str, store: Callable[[], Store], folder: Path, version: str | None = None) -> Side:
    """Read what ``spec`` names; ``store`` is asked only where a model's name needs it.

    Raises UsageError, ModelNotFound, ModelfileRefused, InvalidGGUF …, and TemplateSyntaxError that names ``spec``.
    """
    if is_bare(spec, folder):
        kind = "Jinja template" if is_jinja(spec) else "Go template"
        side = Side(spec, kind, Draft.start(template_base(spec, folder), None))
    else:
        side = _model(spec, store, folder, version)
    try:
        # Whatever is wrong with a template shows here, where its name is known.
        _ = side.effective, side.draft.template
        if side.draft.runs_jinja:
            _ = side.draft.chat_template
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(
            f"{spec}: {error.message}", line=error.line, offset=error.offset, hint=error.hint
        ) from error
    except TemplateError as error:
        raise type(error)(f"{spec}: {error.message}", hint=error.hint) from error
    return side


def _model(spec: str, store: Callable[[], Store], folder: Path, version: str | None) -> Side:
    path = folder / Path(spec).expanduser()
    is_file = path.is_file() and not spec.startswith("sample:")
    try:
        base = find_base(spec, store(), folder)
    except ModelNotFound as error:
        raise _nowhere(error) from error
    notes: tuple[str, ...] = ()
    if base.missing:
        notes = (f"{spec} is compared without what its FROM {base.modelfile.from_} brings along: {base.missing}",)
    if base.absent:
        notes = (*notes, base.absence)
    weights = base.inherited.weights
    is_modelfile = is_file and not (weights is not None and weights.exists() and path.samefile(weights))
    return Side(
        spec,
        "Modelfile" if is_modelfile else "GGUF" if is_file else "model",
        Draft.start(base, version),
        base.modelfile.text if is_modelfile else None,
        _metadata(weights),
        notes,
        from_known=not notes,
    )


def _nowhere(error: ModelNotFound) -> ModelNotFound:
    """Say that a side is neither a file nor a model, and what would be."""
    return ModelNotFound(
        error.message,
        hint="name a Modelfile, a .gotmpl, a .jinja, a .gguf, a model, or sample:deepseek-r1 to try it at once",
    )


def _metadata(weights: Path | None) -> dict[str, Any] | None:
    """Return what is cheap to read of a GGUF: numbers, short texts, lengths of arrays; and what its tensors add up to."""
    if weights is None:
        return None
    from modelsmith.weights.convert.weights import open_weights

    try:
        with open_weights(weights) as gguf:
            return _read(gguf)
    except OSError as error:
        raise StoreError(f"{weights} cannot be read: {error.strerror or error}") from error


def _read(gguf: GGUFFile) -> dict[str, Any]:
    found: dict[str, Any] = {
        SIZE: gguf.size,
        "tensors": len(gguf.tensors),
        "numbers in all tensors": gguf.parameter_count,
        "quantization": gguf.file_type,
    }
    for entry in gguf.metadata.entries:
        key = entry.key.decode("utf-8", "replace")
        if key == CHAT_TEMPLATE_KEY:
            continue  # compared as a template
        value = f"<text of {len(entry.value):,} bytes>" if len(entry.value) > _SMALL else entry.decode()
        found[key] = value if isinstance(value, bool | int | float | str) else repr(value)
    return found
