"""Tensors that are computed when their bytes are asked for: a few rows at a time, from the rows of stored ones.

A tensor is seen as rows of its last dimension, whatever the dimensions before; one with a single dimension has rows of one
number. ``kind`` names the type of its bytes. All of them can be read by several threads at once.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.quantize.mixes import TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from modelsmith.files.segments import FileStamp
    from modelsmith.weights.convert.safetensors import StoredTensor

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
    Files: TypeAlias = Mapping[FileStamp, int]

STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "U8": "u1", "F8_E4M3": "u1", "F8_E5M2": "u1"}
"""The types of numbers that can be read, and what numpy holds them in (BF16 and FP8 as their bits)."""
_BLOCKS = {"MXFP4": (32, 17)}


class Rows:
    """A tensor: ``shape`` with the fastest dimension last. Subclasses say how its rows come about."""

    kind: str
    shape: tuple[int, ...]
    files: tuple[FileStamp, ...]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return prod(self.shape[:-1]) if len(self.shape) > 1 else prod(self.shape)

    @property
    def length(self) -> int:
        """How many numbers a row has."""
        return self.shape[-1] if len(self.shape) > 1 else 1

    @property
    def row_bytes(self) -> int:
        """How many bytes a row has."""
        kind = TYPES[self.kind]
        return self.length // kind.block * kind.width

    @property
    def nbytes(self) -> int:
        """How many bytes there are in all."""
        return self.count * self.row_bytes

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return rows from ``first`` to before ``stop`` as an array of two dimensions."""
        raise NotImplementedError

    def fill(self, files: Files, start: int, view: memoryview) -> None:
        """Fill ``view`` with the tensor's bytes from ``start`` on."""
        width = self.row_bytes
        first, stop = start // width, -(-(start + len(view)) // width)
        data = self.read(files, first, stop).reshape(-1).view("u1")
        skipped = start - first * width
        view[:] = data[skipped : skipped + len(view)].data

    def floats(self, files: Files, first: int, stop: int) -> Array:
        """Return rows as numbers that can be computed with: F16 stays, all else becomes F32."""
        return as_numbers(self.kind, self.read(files, first, stop))


def as_numbers(kind: str, data: Array) -> Array:
    """Return stored bits as numbers: F16 stays, BF16 becomes F32."""
    if kind == "BF16":
        return (data.astype("<u4") << 16).view("<f4")
    return data


@dataclass(frozen=True)
class Stored(Rows):
    """A tensor as a checkpoint holds it."""

    tensor: StoredTensor

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The stored shape; a single number has one dimension."""
        return self.tensor.shape or (1,)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The stored type."""
        return self.tensor.dtype

    @property
    def files(self) -> tuple[FileStamp, ...]:  # type: ignore[override]
        """The file that holds it."""
        return (self.tensor.place.file,)

    @property
    def row_bytes(self) -> int:
        """How many bytes a row has."""
        return self.tensor.place.length // max(1, self.count)

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return rows as they are stored."""
        import numpy as np

        data = np.empty((stop - first) * self.row_bytes, np.uint8)
        self.fill(files, first * self.row_bytes, data.data)
        return data.view(STORED[self.tensor.dtype]).reshape(-1, self.length)

    def fill(self, files: Files, start: int, view: memoryview) -> None:
        """Read straight into ``view``."""
        place, done = self.tensor.place, 0
        while done < len(view):
            count = os.preadv(files[place.file], [view[done:]], place.start + start + done)
            if not count:
                raise place.file.changed()
            done += count


@dataclass(frozen=True)
class Derived(Rows):
    """A tensor made of one other."""

    source: Rows

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The type of the source."""
        return self.source.kind

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of the source."""
        return self.source.shape

    @property
    def files(self) -> tuple[FileStamp, ...]:  # type: ignore[override]
        """The files of the source."""
        return self.source.files


@dataclass(frozen=True)
class Interleaved(Derived):
    """Rows of each head in pairs: Transformers rotates the first half of a head with the second, llama.cpp neighbours.

    Source: llama.cpp ``conversion/llama.py`` (permute).
    """

    heads: int

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Read whole heads, and order their rows."""
        size = self.count // self.heads
        head, end = first // size, -(-stop // size)
        rows = self.source.read(files, head * size, end * size)
        pairs: Array = rows.reshape(end - head, 2, size // 2, -1).swapaxes(1, 2).reshape(rows.shape)
        return pairs[first - head * size : stop - head * size]


@dataclass(frozen=True)
class Added(Derived):
    """The same number added to each, in the precision of llama.cpp's converter: F16 for F16, else F32."""

    number: float

    @property
    def kind(self) -> str:  # type: ignore[override]
        """F16 or F32."""
        return "F16" if self.source.kind == "F16" else "F32"

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return the sums."""
        rows = self.source.floats(files, first, stop)
        total: Array = rows + rows.dtype.type(self.number)
        return total


@dataclass(frozen=True)
class Cast(Derived):
    """The same numbers in another type of floats. F16 refuses what it cannot hold."""

    to: str
    name: str

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The other type."""
        return self.to

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return the numbers rounded to the nearest, halves to even."""
        import numpy as np

        rows = self.source.floats(files, first, stop)
        if self.to == "BF16":
            bits = rows.astype("<f4", copy=False).view("<u4")
            rounded: Array = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
            return rounded.astype("<u2")
        if self.to == "F32":
            return rows.astype("<f4", copy=False)
        with np.errstate(over="ignore"):
            result = rows.astype("<f2", copy=False)
        if bool(np.isinf(result).any()) and bool(np.isfinite(rows).all()):
            raise InvalidCheckpoint(
                f'tensor "{self.name}" has numbers up to {float(np.abs(rows).max()):g}, and F16 ends at 65504',
                hint="--type bf16 holds them, and so does every quantized type",
            )
        return result


@dataclass(frozen=True)
class Stacked(Rows):
    """Tensors of the same shape as one with a dimension more: the experts of a block."""

    sources: tuple[Rows, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The number of tensors, then their shape."""
        return (len(self.sources), *self.sources[0].shape)

    @cached_property
    def kind(self) -> str:  # type: ignore[override]
        """The type of them all."""
        return self.sources[0].kind

    @cached_property
    def files(self) -> tuple[FileStamp, ...]:  # type: ignore[override]
        """The files of them all."""
        return tuple(dict.fromkeys(file for source in self.sources for file in source.files))

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return rows of one or several of the tensors."""
        import numpy as np

        height = self.count // len(self.sources)
        parts = []
        for number in range(first // height, -(-stop // height)):
            begin, end = max(first - number * height, 0), min(stop - number * height, height)
            rows = self.sources[number].read(files, begin, end)
            parts.append(rows.reshape(end - begin, -1))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def length(self) -> int:
        """How many numbers a row has."""
        return self.shape[-1]


@dataclass(frozen=True)
class Taken(Derived):
    """Some rows of each matrix of a stack: ``range`` of its ``per`` rows. ``flat`` drops the dimension of the stack."""

    per: int
    range: range
    flat: bool = False

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The stack, the rows that are taken, and their length."""
        matrices = self.source.count // self.per
        rows = (len(self.range), self.source.length) if len(self.source.shape) > 1 else (len(self.range),)
        return rows if self.flat else (matrices, *rows)

    @property
    def count(self) -> int:
        """How many rows are taken in all."""
        return self.source.count // self.per * len(self.range)

    @property
    def length(self) -> int:
        """How many numbers a row has."""
        return self.source.length

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Read what lies between the rows as well, matrix by matrix."""
        import numpy as np

        height, step = len(self.range), self.range.step
        parts = []
        for number in range(first // height, -(-stop // height)):
            begin, end = max(first - number * height, 0), min(stop - number * height, height)
            start = number * self.per + self.range.start + begin * step
            parts.append(self.source.read(files, start, start + (end - begin - 1) * step + 1)[::step])
        return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class Columns(Derived):
    """Every ``step``-th number of each row from ``start`` on."""

    start: int
    step: int

    @cached_property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape with the shorter rows."""
        return (*self.source.shape[:-1], len(range(self.start, self.source.shape[-1], self.step)))

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return the numbers of the rows."""
        import numpy as np

        return np.ascontiguousarray(self.source.read(files, first, stop)[:, self.start :: self.step])


class Transposed(Rows):
    """Each matrix of a stack transposed. The last ones are remembered, as each gives many rows."""

    _KEPT = 2

    def __init__(self, source: Rows) -> None:
        self._source = source
        *stack, self._rows, self._columns = source.shape
        self.shape = (*stack, self._columns, self._rows)
        self.kind = source.kind
        self.files = source.files
        self._known: dict[int, Array] = {}
        self._lock = threading.Lock()

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return rows that were columns."""
        import numpy as np

        height = self._columns
        parts = []
        for number in range(first // height, -(-stop // height)):
            begin, end = max(first - number * height, 0), min(stop - number * height, height)
            parts.append(self._matrix(files, number)[begin:end])
        return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)

    def _matrix(self, files: Files, number: int) -> Array:
        import numpy as np

        with self._lock:
            if number not in self._known:
                while len(self._known) >= self._KEPT:
                    self._known.pop(next(iter(self._known)))
                rows = self._source.read(files, number * self._rows, (number + 1) * self._rows)
                self._known[number] = np.ascontiguousarray(rows.T)
            return self._known[number]


class Computed(Rows):
    """Numbers that no file holds, such as rope factors."""

    kind = "F32"
    files = ()

    def __init__(self, numbers: list[float]) -> None:
        self.shape = (len(numbers),)
        self._numbers = numbers

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return the numbers."""
        del files
        import numpy as np

        return np.array(self._numbers[first:stop], "<f4").reshape(-1, 1)


class MicroScaled(Rows):
    """Blocks of 32 numbers of four bits and their shared exponents, in ggml's order of the halves of a block.

    ``blocks`` is [..., rows, groups, 16] with neighbours in a byte, ``scales`` [..., rows, groups]; ggml keeps number j beside
    number j + 16. Source: ggml ``src/ggml-common.h`` (block_mxfp4), llama.cpp ``conversion/gpt_oss.py``.
    """

    kind = "MXFP4"

    def __init__(self, blocks: Rows, scales: Rows) -> None:
        *stack, groups = scales.shape
        self.shape = (*stack, groups * 32)
        self.files = tuple(dict.fromkeys((*blocks.files, *scales.files)))
        self._blocks = blocks
        self._scales = scales
        self._groups = groups

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return rows of blocks, one byte an item."""
        import numpy as np

        pairs = self._blocks.read(files, first * self._groups, stop * self._groups).reshape(-1, self._groups, 16)
        scales = self._scales.read(files, first, stop).reshape(-1, self._groups)
        result = np.empty((stop - first, self._groups, 17), np.uint8)
        result[:, :, 0] = scales
        low, high = pairs[:, :, :8], pairs[:, :, 8:]
        result[:, :, 1::2] = (low & 0x0F) | (high << 4)
        result[:, :, 2::2] = (low >> 4) | (high & 0xF0)
        return result.reshape(stop - first, -1)
