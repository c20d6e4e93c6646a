"""The files that ``--modelfile`` writes: checked when the plan is made, written whole or not at all.

Nothing may be lost by them: what stands there is replaced only where that was asked for, and kept.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.errors import system_errors
from modelsmith.files.outputs import check_place

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.store.model import BlobSource, CreateRequest


@system_errors()
def check_outputs(modelfile: Path, gguf: Path | None, request: CreateRequest) -> None:
    """Raise UsageError where a Modelfile, and the GGUF beside it, cannot be written, or one is what the model is made from."""
    sources = [
        source.path for files in (request.files, request.adapters, request.draft_files) for source in files.values()
    ]
    for path in filter(None, (modelfile, gguf)):
        check_place(path, sources)


def holds(path: Path, source: BlobSource) -> bool:
    """Whether a file holds these bytes already, as far as its size and its beginning (where the metadata is) tell."""
    beginning = bytes(next(iter(source.chunks()), b""))
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size == source.size and file.read(len(beginning)) == beginning
    except OSError:
        return False
