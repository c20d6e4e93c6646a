"""From a Modelfile to what a store creates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ModelfileRefused
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.syntax.modelfile.modelfile import Modelfile


def request_of(modelfile: Modelfile, folder: Path, *, source: str) -> CreateRequest:
    """Return the request that creates a Modelfile's model; its paths are relative to ``folder``.

    Raises ModelfileRefused or InvalidParameter where Ollama refuses it; the message begins with ``source``.
    """
    try:
        resolved = modelfile.resolve(folder)
    except ModelfileRefused as error:
        raise ModelfileRefused(
            f"{source}: Ollama refuses this Modelfile: {error.message}",
            line=error.line,
            hint=error.hint or f"`modelsmith lint {source}` shows the place",
        ) from error
    return CreateRequest(
        resolved.fields,
        *(
            {name: FileBlob(path) for name, path in files.items()}
            for files in (resolved.files, resolved.draft_files, resolved.adapters)
        ),
    )
