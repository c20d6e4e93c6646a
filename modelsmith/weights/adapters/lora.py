"""What an adapter is: for each tensor that it changes two narrow matrices, whose product is added.

``new = old + weight * scale * B @ A``; A has ``rank`` rows, B as many columns. Sources: PEFT ``tuners/lora`` (scale: alpha by
rank, or by its root for rslora), llama.cpp ``src/llama-adapter.h`` (scale of a GGUF adapter: alpha by the rank of B).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from modelsmith.files.segments import FileSlice, FileStamp

    Matrix: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

_FLOATS = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


@dataclass(frozen=True, slots=True)
class StoredMatrix:
    """A matrix in a file: ``shape`` as rows and columns, ``dtype`` F32, F16, BF16 or F64."""

    dtype: str
    shape: tuple[int, int]
    place: FileSlice

    def read(self) -> Matrix:
        """Return its numbers."""
        import numpy as np

        data = self.place.read()
        if self.dtype == "BF16":
            wide = np.frombuffer(data, "<u2").astype("<u4") << 16
            return wide.view("<f4").reshape(self.shape)
        return np.frombuffer(data, _FLOATS[self.dtype]).astype(np.float32).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class LoraPair:
    """What is added to one tensor: ``a`` has ``rank`` rows, ``b`` as many columns; ``scale`` holds alpha and rank already.

    ``heads``: the rows of ``b`` belong to so many heads, and are put into the order of llama.cpp (0: they stay as they are).
    ``looked_up``: an embedding, in whose pair ``b`` has a row for each number of a token instead (and ``a`` a column for each
    token, or in a GGUF, ``transposed``, a row).
    """

    a: StoredMatrix
    b: StoredMatrix
    scale: float
    heads: int = 0
    looked_up: bool = False
    transposed: bool = False

    @property
    def rank(self) -> int:
        """How many numbers stand between input and output."""
        return self.b.shape[1]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the tensor that it is for."""
        outer = self.a.shape[0 if self.transposed else 1]
        return (outer, self.b.shape[0]) if self.looked_up else (self.b.shape[0], outer)

    def factors(self, weight: float = 1.0) -> tuple[Matrix, Matrix]:
        """Return B and A, times scale and weight, such that their product is what is added."""
        b, a = self.matrices()
        return b, a * (self.scale * weight)

    def matrices(self) -> tuple[Matrix, Matrix]:
        """Return B (rows by rank) and A (rank by columns), without the scale."""
        a, b = self.a.read(), self.b.read()
        if self.looked_up:
            return a if self.transposed else a.T, b.T
        return (in_llama_order(b, self.heads) if self.heads else b), a


def in_llama_order(rows: Matrix, heads: int) -> Matrix:
    """Return the rows of queries or keys in the order of llama.cpp, which rotates neighbours instead of halves.

    Source: llama.cpp ``conversion/llama.py`` (permute).
    """
    count, width = rows.shape
    return rows.reshape(heads, 2, count // heads // 2, width).swapaxes(1, 2).reshape(count, width)


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter for the tensors of a GGUF or of a checkpoint, by their names.

    ``alpha`` is what its configuration says, ``base`` the name of the model that it was made for ("" where it does not say),
    ``fingerprint`` that model's (see ``fingerprint``), ``architecture`` as a GGUF names it.
    """

    path: Path
    pairs: Mapping[str, LoraPair]
    alpha: float
    base: str = ""
    architecture: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks of its pairs, each once."""
        return tuple(sorted({pair.rank for pair in self.pairs.values()}))

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(matrix.shape[0] * matrix.shape[1] for pair in self.pairs.values() for matrix in (pair.a, pair.b))

    @property
    def stamps(self) -> tuple[FileStamp, ...]:
        """The files that its matrices are in, in the state in which they were found."""
        return tuple(dict.fromkeys(matrix.place.file for pair in self.pairs.values() for matrix in (pair.a, pair.b)))

    def with_note(self, note: str) -> Lora:
        """Return the same adapter with a sentence about it."""
        return replace(self, notes=(*self.notes, note))
