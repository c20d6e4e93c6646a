"""Sets of shards: found by their names, checked to be one model's, all there and none twice.

Sources: llama.cpp ``tools/gguf-split/gguf-split.cpp`` (keys), ``src/llama.cpp`` (llama_split_path, llama_split_prefix).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, UsageError
from modelsmith.records import dataclass
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

SHARD = re.compile(r"(?P<prefix>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
NO, COUNT, TENSORS = "split.no", "split.count", "split.tensors.count"


@dataclass(frozen=True, slots=True)
class ShardPlace:
    """Which shard of how many a header says its file is; numbers begin with 0. ``tensors`` (None: not said) are all shards'."""

    number: int
    count: int
    tensors: int | None


def shard_name(prefix: str, number: int, count: int) -> str:
    """Return the name of a shard, as llama.cpp finds it; ``number`` begins with 0."""
    return f"{prefix}-{number + 1:05}-of-{count:05}.gguf"


def place_of(gguf: GGUFFile) -> ShardPlace | None:
    """Return which shard a file is; None for a whole model."""
    count = _number(gguf, COUNT)
    if count is None or count < 2:
        return None
    number = _number(gguf, NO)
    if number is None:
        raise InvalidGGUF(f"{gguf.path}: {COUNT} is {count}, and {NO} is missing", hint="split the model again")
    return ShardPlace(number, count, _number(gguf, TENSORS))


def _number(gguf: GGUFFile, key: str) -> int | None:
    value = gguf.metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def siblings(path: Path) -> list[Path]:
    """Return the names that all shards of a shard's set must have by its own name; just itself where it has no such name."""
    match = SHARD.fullmatch(path.name)
    if match is None:
        return [path]
    count = int(match["count"])
    return [path.with_name(shard_name(match["prefix"], number, count)) for number in range(count)]


def open_shards(paths: Sequence[str | os.PathLike[str]], *, any_order: bool = False) -> tuple[GGUFFile, ...]:
    """Open all shards of one model, in order; one path stands for its whole set. A whole model is a set of one.

    ``any_order`` takes files in the other byte order too, to be looked at only.

    Raises UsageError where a shard is missing, is there twice or belongs to another set, UnreadableFile and InvalidGGUF for
    what cannot be read.
    """
    given = [Path(path) for path in paths]
    first = GGUFFile.open(given[0], any_order=any_order)
    place = place_of(first)
    if place is None:
        if len(given) > 1:
            raise UsageError(
                f"{first.path} is no shard: it says nothing of a split", hint="name the shards of one model"
            )
        return (first,)
    if len(given) == 1:
        given = _by_name(given[0], place)
    parts = [first if path == first.path else GGUFFile.open(path, any_order=any_order) for path in given]
    return in_order(parts, place.count)


def _by_name(path: Path, place: ShardPlace) -> list[Path]:
    match = SHARD.fullmatch(path.name)
    if match is None or int(match["count"]) != place.count:
        raise UsageError(
            f"{path} is shard {place.number + 1} of {place.count}, and its name does not say where the others are",
            hint="name all of them, or call them NAME-00001-of-00003.gguf and so on",
        )
    found = siblings(path)
    if missing := [shard.name for shard in found if not shard.is_file()]:
        raise UsageError(
            f"{len(missing)} of {place.count} shards are missing in {path.parent.absolute()}: {_some(missing)}",
            hint="fetch them into the same folder",
        )
    return found


def in_order(parts: Sequence[GGUFFile], count: int) -> tuple[GGUFFile, ...]:
    """Return the shards of one set by their numbers; raises UsageError where they are not all of one set, each once."""
    by_number: dict[int, GGUFFile] = {}
    tensors = None
    for part in parts:
        place = place_of(part)
        if place is None or place.count != count or (tensors is not None and place.tensors not in {None, tensors}):
            says = "no shard" if place is None else f"of a set of {place.count} shards with {place.tensors} tensors"
            raise UsageError(
                f"{part.path} does not belong to the others: it is {says}; {parts[0].path} is of {count} with {tensors}",
                hint="name the shards of one model only",
            )
        if place.number in by_number:
            raise UsageError(
                f"shard {place.number + 1} is there twice: {by_number[place.number].path} and {part.path}",
                hint="name each shard once; a copy under another shard's name has to be fetched again",
            )
        tensors = tensors if place.tensors is None else place.tensors
        by_number[place.number] = part
    if missing := [f"{number + 1}" for number in range(count) if number not in by_number]:
        raise UsageError(f"shards {_some(missing)} of {count} are missing", hint="name all of them, or the first only")
    ordered = tuple(by_number[number] for number in range(count))
    _check_tensors(ordered, tensors)
    return ordered


def _check_tensors(parts: tuple[GGUFFile, ...], tensors: int | None) -> None:
    seen: dict[str, GGUFFile] = {}
    for part in parts:
        for tensor in part.tensors:
            if tensor.name in seen:
                raise UsageError(
                    f'the tensor "{tensor.name}" is in {seen[tensor.name].path} and in {part.path}',
                    hint="they are not of the same split; fetch all shards again",
                )
            seen[tensor.name] = part
    if tensors is not None and len(seen) != tensors:
        raise UsageError(
            f"the shards hold {len(seen)} tensors, and their headers say {tensors}",
            hint="one of them is of another model or another split; fetch all shards again",
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
