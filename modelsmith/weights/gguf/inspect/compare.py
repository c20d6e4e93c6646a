"""What differs between two GGUFs, each a file or all shards of one: metadata, tensors, and how they are laid out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from modelsmith.errors import system_errors
from modelsmith.files.segments import CHUNK, read_into
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.metadata import text_of
from modelsmith.weights.gguf.values import same_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.files.segments import FileSlice
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Entry
    from modelsmith.weights.gguf.read.tensors import Tensor

_Place: TypeAlias = "tuple[Tensor, FileSlice]"
Data = Literal["", "same", "different", "not compared"]


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """A key whose type or value is not the same; None where a side does not have it."""

    key: str
    a: Entry | None
    b: Entry | None


@dataclass(frozen=True, slots=True)
class TensorDifference:
    """A tensor that is not the same; ``data`` says of one with the same shape and type whether its bytes are."""

    name: str
    a: Tensor | None
    b: Tensor | None
    data: Data = ""


@dataclass(frozen=True, slots=True)
class GGUFDifference:
    """Everything that differs. ``layout`` is what no model notices: order, alignment, shards, room for edits."""

    metadata: tuple[KeyDifference, ...]
    tensors: tuple[TensorDifference, ...]
    layout: tuple[str, ...]
    same_tensors: int
    data_compared: bool

    @property
    def equal(self) -> bool:
        """Whether both are the same model, as far as it was compared."""
        return not self.metadata and not self.tensors


@system_errors()
def compare_models(
    a: Sequence[GGUFFile], b: Sequence[GGUFFile], *, quick: bool = False, progress: ProgressSink = silent
) -> GGUFDifference:
    """Compare two models; ``quick`` does not read the tensors' data, nor is it read where the byte orders differ.

    Raises UnreadableFile where a file changes meanwhile.
    """
    quick = quick or a[0].is_big_endian != b[0].is_big_endian
    metadata = tuple(_metadata(a[0], b[0]))
    ours, theirs = _tensors(a), _tensors(b)
    done, total = 0, sum(tensor.nbytes for name, (tensor, _) in ours.items() if name in theirs)
    tensors, same = [], 0
    for name in dict.fromkeys((*ours, *theirs)):
        x, y = ours.get(name), theirs.get(name)
        if not (x and y and _shape(x[0]) == _shape(y[0])):
            tensors.append(TensorDifference(name, x[0] if x else None, y[0] if y else None))
            continue
        if not quick and not _same_bytes(x[1], y[1]):
            tensors.append(TensorDifference(name, x[0], y[0], "different"))
        else:
            same += 1
        done += x[0].nbytes
        progress(Progress("comparing", "", done, total))
    return GGUFDifference(metadata, tuple(tensors), tuple(_layout(a, b, ours, theirs)), same, not quick)


def _tensors(parts: Sequence[GGUFFile]) -> dict[str, _Place]:
    return {tensor.name: (tensor, part.data_of(tensor)) for part in parts for tensor in part.tensors}


def _shape(tensor: Tensor) -> tuple[tuple[int, ...], int]:
    dims = list(tensor.dims)
    while len(dims) > 1 and dims[-1] == 1:
        dims.pop()
    return tuple(dims), tensor.type.id


def _metadata(a: GGUFFile, b: GGUFFile) -> Iterator[KeyDifference]:
    ours, theirs = ({text_of(entry.key): entry for entry in gguf.metadata.entries} for gguf in (a, b))
    for key in dict.fromkeys((*ours, *theirs)):
        x, y = ours.get(key), theirs.get(key)
        if key not in {*SPLIT_KEYS, PADDING} and not (x and y and same_value(x, y)):
            yield KeyDifference(key, x, y)


def _same_bytes(a: FileSlice, b: FileSlice) -> bool:
    if a == b:
        return True
    one, other = (read_into([files], itertools.repeat(memoryview(bytearray(CHUNK)))) for files in (a, b))
    return all(x == y for x, y in itertools.zip_longest(one, other))


def _layout(
    a: Sequence[GGUFFile], b: Sequence[GGUFFile], ours: dict[str, _Place], theirs: dict[str, _Place]
) -> Iterator[str]:
    for what, x, y in (
        ("shards", len(a), len(b)),
        ("byte order", *("big-endian" if files[0].is_big_endian else "little-endian" for files in (a, b))),
        ("version of the format", a[0].version, b[0].version),
        ("alignment", a[0].alignment, b[0].alignment),
        ("room for edits", *(_room(gguf) for gguf in (a[0], b[0]))),
    ):
        if x != y:
            yield f"{what}: {x} and {y}"
    if list(ours) != list(theirs) and set(ours) == set(theirs):
        yield "the tensors stand in another order"
    keys = [[key for key in gguf.metadata if key not in {*SPLIT_KEYS, PADDING}] for gguf in (a[0], b[0])]
    if keys[0] != keys[1] and set(keys[0]) == set(keys[1]):
        yield "the keys stand in another order"


def _room(gguf: GGUFFile) -> str:
    return f"{len(gguf.metadata.entry(PADDING).value):,} bytes" if PADDING in gguf.metadata else "none"
