"""Rows of other rows: in another order, put together, taken apart, as numbers of another type."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.rows import Derived, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from modelsmith.files.segments import FileStamp

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
    Files: TypeAlias = Mapping[FileStamp, int]


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
