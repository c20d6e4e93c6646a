"""What a model brings along to those that are made from it: of a store's model, and of a GGUF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError
from modelsmith.models.base import Inherited, brought_along
from modelsmith.template.jinja.ends import NO_ENDS

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.store.model import StoredModel
    from modelsmith.syntax.modelfile.modelfile import Modelfile


def inherited_from(model: StoredModel) -> Inherited:
    """Return what comes along with a model of a store."""
    from modelsmith.weights.gguf import GGUFFile
    from modelsmith.weights.gguf.tokens.ends import text_ends

    ends = NO_ENDS
    architecture = "" if model.chat_template_known else model.family
    if model.weights is not None:
        with GGUFFile.open(model.weights) as gguf:
            ends = text_ends(gguf)
            architecture = gguf.architecture
    return Inherited(
        template=model.template,
        chat_template=model.chat_template,
        chat_template_known=model.chat_template_known,
        said=model.said,
        system=model.system,
        parameters=model.parameters,
        messages=model.messages,
        licenses=model.licenses,
        noted=model.noted,
        family=model.family,
        architecture=architecture,
        weights=model.weights,
        digest=model.digest,
        stored=True,
        extra_layers=model.extra_layers,
        format=model.format,
        ends=ends,
        parent=model.parent,
    )


def gguf_inherited(path: Path) -> Inherited | None:
    """Return what is in a GGUF for a model that is made FROM it; None for a projector or an adapter."""
    from modelsmith.weights.gguf import GGUFFile
    from modelsmith.weights.gguf.tokens.ends import text_ends

    with GGUFFile.open(path) as gguf:
        if gguf.kind != "model":
            return None
        return Inherited(
            chat_template=gguf.chat_template,
            family=gguf.architecture,
            architecture=gguf.architecture,
            weights=path,
            ends=text_ends(gguf),
            imported=True,
        )


def inherited_of(paths: list[Path], modelfile: Modelfile) -> Inherited:
    """Return what Ollama makes of GGUF files: of the model among them."""
    for path in paths:
        if (found := gguf_inherited(path)) is not None:
            return brought_along(found, modelfile, found.chat_template)
    raise ModelsmithError(
        f"{', '.join(path.name for path in paths)}: no text model among these GGUFs",
        hint="projectors and adapters need a model to go with",
    )
