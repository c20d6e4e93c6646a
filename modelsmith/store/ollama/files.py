"""The files behind a server, where they can be read on this machine.

``/api/show`` names the path of the weights. A server may run elsewhere behind a tunnel, so a file counts only when it is
a blob that is named by the same digest, and a manifest only when it hashes to what the server lists.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.name import ModelName
    from modelsmith.store.model import StoredModel


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The readable weights of a model in the blob folder of a server's store."""

    weights: Path

    def model(self, name: ModelName, digest: str) -> StoredModel | None:
        """Read the model from the store's folder; None unless its manifest has this digest."""
        from modelsmith.store.local.local import LocalStore

        try:
            model = LocalStore(self.weights.parent.parent).show(name)
        except (ModelsmithError, OSError):
            return None
        return model if digest and model.digest.removeprefix("sha256:") == digest else None

    def chat_template(self) -> tuple[bool, str | None]:
        """Return whether the GGUF could be read, and the Jinja template in it."""
        from modelsmith.weights.gguf.file import GGUFFile

        try:
            return True, GGUFFile.open(self.weights).chat_template
        except ModelsmithError:
            return False, None


def find_files(weights_path: str) -> ServerFiles | None:
    """Return the files behind ``weights_path`` (``…/blobs/sha256-…``), None where they cannot be read here."""
    path = Path(weights_path)
    if (
        weights_path
        and path.is_absolute()
        and path.parent.name == "blobs"
        and os.access(path, os.R_OK)
        and path.is_file()
    ):
        return ServerFiles(path)
    return None
