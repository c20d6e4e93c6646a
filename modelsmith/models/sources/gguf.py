"""A GGUF as a base: what Ollama makes of it when a model is created from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UnreadableFile
from modelsmith.files.paths import anchored
from modelsmith.models.base import Base
from modelsmith.models.inherited import inherited_of
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from modelsmith.store import Store


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that a file is."""
    del store
    path = Path(anchored(spec, folder))
    modelfile = Modelfile.parse(f"FROM {path}\n")
    return Base(spec, modelfile, path.parent, inherited_of([path], modelfile))


def is_gguf(path: Path) -> bool:
    """Say whether a file is a GGUF, by its name or its first bytes; raises UnreadableFile."""
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}", hint=f'check its permissions: ls -l "{path}"'
        ) from error
