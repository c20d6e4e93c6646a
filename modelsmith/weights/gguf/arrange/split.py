"""Splitting a GGUF into shards, byte for byte as llama-gguf-split does.

The first shard has all metadata, each its number, the count of shards and that of all tensors. A size bounds the tensors of
a shard; the header comes on top.
Source: llama.cpp ``tools/gguf-split/gguf-split.cpp``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError, system_errors
from modelsmith.files.outputs import holds, kept_name
from modelsmith.files.replacing import check_output, check_room, replacing
from modelsmith.files.stream import chunks, copy_segments, hash_segments, size_of
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.arrange.shards import COUNT, NO, TENSORS, place_of, shard_name
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, ValueType, padding

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from modelsmith.files.segments import Segment
    from modelsmith.manifest import Digest
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

_MOST = 65535  # split.count is an UINT16
_SIZE = re.compile(r"(\d+)([MG])")
_UNITS = {"M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Shard:
    """One file to be: its path, its tensors, and its bytes."""

    path: Path
    tensors: tuple[Tensor, ...]
    segments: tuple[Segment, ...]

    @property
    def size(self) -> int:
        """The file's size."""
        return size_of(self.segments)


def parse_size(text: str) -> int:
    """Return the bytes of ``500M`` or ``4G``, decimal as llama-gguf-split has them; raises UsageError."""
    match = _SIZE.fullmatch(text)
    if match is None or not int(match[1]):
        raise UsageError(f"{text!r:.40} is no size of a shard", hint="a whole number of M or G, such as 4G")
    return int(match[1]) * _UNITS[match[2]]


def plan_split(
    gguf: GGUFFile,
    prefix: str | os.PathLike[str],
    *,
    max_size: int | None = None,
    max_tensors: int | None = None,
    empty_first: bool = False,
) -> tuple[Shard, ...]:
    """Work out the shards: as many tensors as ``max_size`` bytes or ``max_tensors`` allow, in their order. Reads only.

    ``empty_first`` puts no tensor into the first, so that the metadata can be fetched or changed alone. A tensor that is
    larger than ``max_size`` gets a shard of its own, but as the first of all it is refused, as llama-gguf-split does. Raises
    UsageError.
    """
    if (max_size is None) == (max_tensors is None):
        said = (
            "say how large a shard may be"
            if max_size is None
            else "a shard is measured in bytes or in tensors, not both"
        )
        raise UsageError(said, hint="either --max-size 4G or --max-tensors 128")
    if (max_size if max_size is not None else max_tensors or 0) < 1:
        raise UsageError("a shard must have room for something", hint="such as --max-size 4G or --max-tensors 128")
    if place_of(gguf) is not None:
        raise UsageError(f"{gguf.path} is a shard already", hint="merge all shards first: modelsmith gguf merge")
    _check_tensors(gguf, max_size)
    groups = _groups(gguf.tensors, max_size, max_tensors)
    if empty_first:
        groups.insert(0, [])
    if len(groups) > _MOST:
        raise UsageError(
            f"{len(groups)} shards are more than {_MOST}, which is all that fit the format", hint="larger ones"
        )
    where = Path(prefix)
    if not where.name or where.is_dir():
        raise UsageError(f"{where} is a folder", hint=f"name the beginning of the shards' names: {where / 'model'}")
    kept = gguf.metadata.without(*SPLIT_KEYS, PADDING).entries
    shards = []
    for number, group in enumerate(groups):
        entries = (*(kept if number == 0 else ()), *_keys(number, len(groups), len(gguf.tensors)))
        alignment = gguf.alignment if number == 0 else DEFAULT_ALIGNMENT
        segments = packed(entries, [(tensor, gguf.data_of(tensor)) for tensor in group], alignment)
        shards.append(Shard(where.with_name(shard_name(where.name, number, len(groups))), tuple(group), segments))
    return tuple(shards)


def _check_tensors(gguf: GGUFFile, max_size: int | None) -> None:
    """Refuse what would leave a shard without tensors that nobody asked for."""
    if not gguf.tensors:
        raise UsageError(
            f"{gguf.path} has no tensors: there is nothing to split",
            hint="a file of metadata alone, such as a vocabulary, is its own only shard",
        )
    first = gguf.tensors[0]
    size = _padded(first)
    if max_size is not None and size > max_size:
        raise UsageError(
            f"the first tensor, {first.name}, has {size:,} bytes, more than the {max_size:,} of a shard: "
            "the first shard would have no tensor",
            hint=f"--max-size {-(-size // _UNITS['M'])}M, or --max-tensors",
        )


def _padded(tensor: Tensor) -> int:
    return tensor.nbytes + padding(tensor.nbytes, DEFAULT_ALIGNMENT)


def _groups(tensors: Sequence[Tensor], max_size: int | None, max_tensors: int | None) -> list[list[Tensor]]:
    groups: list[list[Tensor]] = [[]]
    size = 0
    for tensor in tensors:
        size += _padded(tensor)
        full = size > max_size if max_size is not None else len(groups[-1]) == max_tensors
        if full and groups[-1]:
            groups.append([])
            size = _padded(tensor)
        groups[-1].append(tensor)
    return groups


def _keys(number: int, count: int, tensors: int) -> tuple[Entry, ...]:
    """Return the keys of a split in the order in which llama-gguf-split leaves them: it sets the count last."""
    return (
        Entry.of(NO, ValueType.UINT16, number),
        Entry.of(TENSORS, ValueType.INT32, tensors),
        Entry.of(COUNT, ValueType.UINT16, count),
    )


@system_errors()
def write_split(
    gguf: GGUFFile, shards: Sequence[Shard], *, overwrite: bool = False, progress: ProgressSink = silent
) -> tuple[Digest, ...]:
    """Write all shards; returns their digests. Each file appears when it is complete; on an error all is as it was before.

    Shards that a killed run finished stay: a file is left alone where it is byte for byte what would be written.
    """
    left = {shard.path for shard in shards if _is_there(shard)}
    for shard in shards:
        if shard.path not in left:
            check_output(shard.path, [gguf.path], overwrite=overwrite, size=0)
    check_room(shards[0].path, sum(shard.size for shard in shards if shard.path not in left))
    digests: list[Digest] = []
    written: list[tuple[Path, Path]] = []
    done, total = 0, sum(shard.size for shard in shards)

    def show(part: Progress) -> None:
        progress(Progress("splitting", "", done + part.completed, total))

    try:
        for shard in shards:
            if shard.path in left:
                digests.append(hash_segments(shard.segments, show))
                done += shard.size
                continue
            path = shard.path.resolve()
            kept = kept_name(path)
            with replacing(path) as (descriptor, _):
                digests.append(copy_segments(shard.segments, descriptor, show))
            written.append((path, kept))
            done += shard.size
    except BaseException:
        for path, kept in written:
            if kept.exists():
                kept.replace(path)
            else:
                path.unlink(missing_ok=True)
        raise
    return tuple(digests)


def _is_there(shard: Shard) -> bool:
    """Say whether a shard stands there already, byte for byte."""
    return holds(shard.path, shard.size, chunks(shard.segments))
