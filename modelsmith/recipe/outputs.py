"""The files that ``--modelfile`` writes: checked when the plan is made, written whole or not at all.

Nothing that matters may be lost by them: they replace a Modelfile or an earlier copy of the same weights, and nothing else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, StoreError, UsageError, system_errors
from modelsmith.syntax.modelfile import Modelfile
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.merged_blob import MergedGGUF
from modelsmith.weights.quantize_blob import QuantizedGGUF
from modelsmith.weights.unfinished import start_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from modelsmith.store.model import BlobSource, CreateRequest

_MAX_MODELFILE = 16 << 20
_OTHER = "name another file with --modelfile, or move this one away first"


@system_errors()
def check_outputs(modelfile: Path, gguf: Path | None, weights: Path | None, request: CreateRequest) -> None:
    """Raise UsageError where writing a Modelfile, and the GGUF made from ``weights``, would fail or destroy something."""
    if modelfile.is_dir():
        raise UsageError(f"{modelfile} is a folder", hint="name the file that the Modelfile is written to")
    if not modelfile.parent.is_dir():
        raise UsageError(
            f"{modelfile} cannot be written: there is no folder {modelfile.parent}", hint=f"mkdir -p {modelfile.parent}"
        )
    sources = [
        source.path for files in (request.files, request.adapters, request.draft_files) for source in files.values()
    ]
    for path in filter(None, (modelfile, gguf)):
        if not path.exists():
            continue
        if not path.is_file():
            raise UsageError(f"{path} is not a regular file", hint="name another file with --modelfile")
        if any(source.exists() and path.samefile(source) for source in sources):
            raise UsageError(f"{path} would be overwritten, and the model is made from it", hint=_OTHER)
    if modelfile.exists() and not _is_modelfile(modelfile):
        raise UsageError(f"{modelfile} exists and is no Modelfile: it would be lost", hint=_OTHER)
    if gguf is not None and weights is not None and gguf.exists() and not _same_tensors(gguf, weights, request):
        raise UsageError(f"{gguf} exists and is another model: it would be lost", hint=_OTHER)


def _is_modelfile(path: Path) -> bool:
    try:
        size = path.stat().st_size
        return size == 0 or (size <= _MAX_MODELFILE and Modelfile.parse(path.read_bytes()).as_ollama().error is None)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}", hint=_OTHER) from error


def _same_tensors(path: Path, weights: Path, request: CreateRequest) -> bool:
    """Whether a file holds the tensors of the weights, or what quantizing makes of them, under whatever metadata."""
    try:
        made = [
            source.gguf.tensors for source in request.files.values() if isinstance(source, MergedGGUF | QuantizedGGUF)
        ]
        return GGUFFile.open(path).tensors in (GGUFFile.open(weights).tensors, *made)
    except ModelsmithError:
        return False


def holds(path: Path, source: BlobSource) -> bool:
    """Whether a file holds these bytes already, as far as its size and its beginning (where the metadata is) tell."""
    beginning = bytes(next(iter(source.chunks()), b""))
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size == source.size and file.read(len(beginning)) == beginning
    except OSError:
        return False


def write(
    path: Path, chunks: Iterable[bytes | memoryview], *, hint: str = "name another place with --modelfile"
) -> None:
    """Write a file whole or not at all; where ``path`` is a link, the file that it leads to."""
    target = path.resolve()
    try:
        descriptor, unfinished = start_unfinished(target)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                unfinished.chmod(0o644)
                unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", hint=hint) from error
