"""Writing a GGUF in Ollama's canonical order: the file whose digest is the one that ``ollama create`` will store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported, UsageError, system_errors
from modelsmith.files.outputs import holds
from modelsmith.files.replacing import check_output, check_room, replacing
from modelsmith.files.stream import chunks, copy_segments, hash_segments, size_of
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.arrange.canonical import canonical
from modelsmith.weights.gguf.arrange.shards import open_shards
from modelsmith.weights.gguf.edit.inplace_plan import check_editable
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.edit.undo import count_records

if TYPE_CHECKING:
    import os

    from modelsmith.files.segments import Segment
    from modelsmith.manifest import Digest
    from modelsmith.weights.gguf.file import GGUFFile


def canonical_segments(*parts: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of a model (its shards, in order) in canonical order, without room for edits.

    Raises Unsupported for what Ollama stores as it is, InvalidGGUF for what it would refuse.
    """
    first = parts[0]
    if first.kind != "model":
        article = "an" if first.kind == "adapter" else "a"
        raise Unsupported(
            f"{first.path} is {article} {first.kind}: Ollama stores it as it is", hint="there is no other order for it"
        )
    if any(part.has_embedded_parts for part in parts):
        raise Unsupported(
            f"{first.path} holds parts for images, sound or drafts: Ollama stores such a model as it is",
            hint="there is no other order for it",
        )
    return canonical(first.with_metadata(first.metadata.without(PADDING)), *parts[1:])


def is_canonical(gguf: GGUFFile) -> bool:
    """Whether a file is in canonical order already; only its header is read."""
    position = 0
    with gguf.path.open("rb") as file:
        for segment in canonical_segments(gguf):
            if not isinstance(segment, bytes):
                if segment.start != position:
                    return False
            else:
                file.seek(position)
                if file.read(len(segment)) != segment:
                    return False
            position += len(segment)
    return position == gguf.size


@system_errors()
def canonicalize(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Digest | None:
    """Write a model (the first shard stands for all) in canonical order; returns the digest that ``ollama create`` stores.

    Without ``target`` the file itself is replaced, which takes ``overwrite`` too; None where there is nothing to change then.
    What is replaced is kept as ``NAME.old``. Raises as ``canonical_segments``, and UsageError where the file cannot be written.
    """
    parts = open_shards([source])
    segments = canonical_segments(*parts)
    if target is not None:
        path, size = Path(target), size_of(segments)
        if not overwrite and holds(path, size, chunks(segments)):
            return hash_segments(segments, progress)
        check_output(path, [part.path for part in parts], overwrite=overwrite, size=size)
        with replacing(path.resolve()) as (descriptor, _):
            return copy_segments(segments, descriptor, progress, "writing")
    if len(parts) > 1:
        raise UsageError(
            f"{source} is one of {len(parts)} shards", hint="name a new file for the whole: canonicalize IN OUT"
        )
    path = Path(source).resolve()
    if is_canonical(parts[0]):
        return None
    check_editable(path)
    if count_records(path):
        raise UsageError(
            f"{path} has edits that could not be undone any more", hint=f"name a new file: canonicalize {source} OUT"
        )
    if not overwrite:
        raise UsageError(
            f"{path} would be replaced", hint="name a new file: canonicalize IN OUT; or --force keeps it as IN.old"
        )
    check_room(path, size_of(segments))
    with replacing(path, path.stat()) as (descriptor, _):
        return copy_segments(segments, descriptor, progress, "writing")
