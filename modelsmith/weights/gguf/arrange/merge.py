"""Making one GGUF of its shards, or of the raw pieces of a file that was cut anywhere.

The first shard's metadata without the keys of the split, and all tensors in the order of the shards: what was split.
Source: llama.cpp ``tools/gguf-split/gguf-split.cpp`` (which keeps the keys of the split).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, ModelsmithError, UsageError, VerificationFailed, system_errors
from modelsmith.files.outputs import holds
from modelsmith.files.regular import stat_regular
from modelsmith.files.replacing import check_output, replacing
from modelsmith.files.segments import FileSlice, FileStamp, Segment
from modelsmith.files.stream import chunks, copy_segments, hash_segments, size_of
from modelsmith.patterns import regex
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.arrange.shards import open_shards
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.types import MAGIC

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from modelsmith.manifest import Digest

# model.gguf.part1of3, model.gguf-split-a, model.gguf.001, model.gguf.partaa, model.gguf-part-00
_RAW = regex(
    r"(?P<stem>.+\.gguf)(?P<word>[.-](?:split-|part-?|chunk-?)?)(?P<piece>\d{1,4}|[a-z]{1,2})(?P<of>-?of-?\d{1,4})?",
    re.IGNORECASE,
)


def merged(*parts: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of the GGUF that was split into these shards, which are in order."""
    metadata = parts[0].metadata.without(*SPLIT_KEYS, PADDING)
    tensors = [(tensor, part.data_of(tensor)) for part in parts for tensor in part.tensors]
    return packed(metadata.entries, tensors, parts[0].alignment)


@system_errors()
def merge(
    shards: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Digest:
    """Make one file of all shards of a model (one path stands for its set); returns the file's digest.

    Raises UsageError where they are not all there or not of one split, and then nothing is written.
    """
    parts = open_shards(shards)
    if len(parts) == 1:
        raise UsageError(f"{parts[0].path} is a whole model, no shard of one: there is nothing to merge")
    return _write(merged(*parts), [part.path for part in parts], Path(target), overwrite, progress, parts)


@system_errors()
def join_raw(
    pieces: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Digest:
    """Join the pieces of a file that was cut at any bytes, in the given order (one piece stands for its set).

    The file appears only if it is a GGUF that ends where its last tensor does; returns its digest.
    """
    paths = [Path(piece) for piece in pieces]
    if len(paths) == 1:
        paths = raw_pieces(paths[0])
    match = _RAW.fullmatch(paths[0].name)
    if match and match["of"] and int(match["of"].strip("of-OF")) != len(paths):
        raise UsageError(
            f"{len(paths)} pieces are there, and by their names there are {match['of'].strip('of-OF')}: {paths[0].name} …",
            hint="fetch the others into the same folder, or name all pieces in their order",
        )
    if len(paths) == 1:
        raise UsageError(f"{paths[0]}: no further pieces are beside it", hint="name all pieces in their order")
    stamps = [FileStamp.of(path, stat_regular(path)) for path in paths]
    with paths[0].open("rb") as first:
        if first.read(4) != MAGIC:
            raise UsageError(f"{paths[0]} does not begin a GGUF", hint="name the pieces in their order")
    segments = tuple(FileSlice(stamp, 0, stamp.size) for stamp in stamps)
    return _write(segments, paths, Path(target), overwrite, progress, None)


def _write(
    segments: tuple[Segment, ...],
    sources: Sequence[Path],
    target: Path,
    overwrite: bool,
    progress: ProgressSink,
    parts: Sequence[GGUFFile] | None,
) -> Digest:
    if not overwrite and holds(target, size_of(segments), chunks(segments)):
        return hash_segments(segments, progress, "comparing")
    check_output(target, sources, overwrite=overwrite, size=size_of(segments))
    with replacing(target.resolve()) as (descriptor, unfinished):
        digest = copy_segments(segments, descriptor, progress, "merging")
        try:
            found = GGUFFile.open(unfinished)
        except ModelsmithError as error:
            raise InvalidGGUF(
                f"joined, the pieces are no whole GGUF: {error.message.replace(str(unfinished), str(target))}",
                hint="is a piece missing, incomplete, or in the wrong place? Nothing was written",
            ) from error
        if parts is None:
            _check_end(found, target)
        elif len(found.tensors) != sum(len(part.tensors) for part in parts):
            raise VerificationFailed(f"{target} would hold other tensors than the shards", hint="report this")
    return digest


def _check_end(found: GGUFFile, target: Path) -> None:
    last = max(
        (found.data_offset + tensor.offset + tensor.nbytes for tensor in found.tensors), default=found.data_offset
    )
    extra = found.size - last
    if extra >= found.alignment:
        raise InvalidGGUF(
            f"joined, the pieces have {extra:,} bytes more than the model in {target.name}",
            hint="is a piece there twice, or of another file? Nothing was written",
        )


def raw_pieces(path: Path) -> list[Path]:
    """Return the pieces of a cut file beside one of them, by their names and in order; just itself where it is none."""
    match = _RAW.fullmatch(path.name)
    if match is None:
        return [path]
    found = []
    for neighbour in path.parent.iterdir():
        other = _RAW.fullmatch(neighbour.name)
        if (
            other is None
            or any(other[group] != match[group] for group in ("stem", "word", "of"))
            or not neighbour.is_file()
        ):
            continue
        if other["piece"].isdigit() == match["piece"].isdigit():
            found.append((len(other["piece"]) if not other["of"] else 0, _sortable(other["piece"]), neighbour))
    ordered = [shard for _, _, shard in sorted(found)]
    first = _RAW.fullmatch(ordered[0].name) if ordered else None
    # what is beside a model.gguf.tf or a model.gguf.7 is no set of pieces
    return ordered if first and first["piece"].strip("0a") in {"", "1"} else [path]


def _sortable(piece: str) -> tuple[int, str]:
    return (int(piece), "") if piece.isdigit() else (0, piece)
