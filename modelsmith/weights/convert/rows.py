"""Tensors that are computed when their bytes are asked for: a few rows at a time, from the rows of stored ones.

A tensor is seen as rows of its last dimension, whatever the dimensions before; one with a single dimension has rows of one
number. ``kind`` names the type of its bytes. All of them can be read by several threads at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

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
