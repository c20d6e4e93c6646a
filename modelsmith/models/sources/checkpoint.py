"""A folder of Safetensors as a base: what Ollama makes of the GGUF that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported
from modelsmith.files.paths import anchored
from modelsmith.models.base import Base, Inherited, brought_along
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from modelsmith.store import Store


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that a folder is."""
    del store
    return base_of(spec, Path(anchored(spec, folder)))


def base_of(spec: str, folder: Path) -> Base:
    """Return what Ollama makes of the GGUF that a folder of Safetensors becomes."""
    from modelsmith.weights.convert.weights import is_checkpoint, open_weights
    from modelsmith.weights.gguf.tokens.ends import text_ends

    if not is_checkpoint(folder):
        raise Unsupported(f'"{spec}" is a folder without a config.json', hint="name the .gguf or the Modelfile in it")
    gguf = open_weights(folder)
    modelfile = Modelfile.parse(f"FROM {folder}\n")
    found = Inherited(
        chat_template=gguf.chat_template,
        family=gguf.architecture,
        architecture=gguf.architecture,
        weights=folder,
        ends=text_ends(gguf),
        imported=True,
        checkpoint=True,
    )
    return Base(spec, modelfile, folder.parent, brought_along(found, modelfile, gguf.chat_template))
