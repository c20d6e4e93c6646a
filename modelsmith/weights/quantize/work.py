"""Cutting tensors into pieces that are quantized on their own: rows at a time, so that memory does not grow with the model.

A row's blocks depend on nothing but the row (and its importance), so pieces may be done in any order and by any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.files.segments import Descriptors
    from modelsmith.weights.quantize.codec import Bytes, Codec, Floats
    from modelsmith.weights.quantize.error import ErrorSums
    from modelsmith.weights.quantize.plan import TensorPlan

_NUMBERS = 1 << 18
"""How many numbers a piece holds, unless one row is longer: as many as stay in a processor's cache."""
_COPIED = 1 << 21


@dataclass(frozen=True, slots=True)
class TensorPiece:
    """Bytes of a tensor that are worked on at once: from ``start`` in the file, ``nbytes`` long, ``numbers`` numbers."""

    plan: TensorPlan
    start: int
    nbytes: int
    numbers: int
    importance: Floats | None = None
    first: int = 0  # row of the tensor

    @property
    def result_nbytes(self) -> int:
        """How many bytes it becomes."""
        kind = self.plan.tensor.type
        return self.numbers // kind.block * kind.width if self.plan.changes else self.nbytes


def pieces(plan: TensorPlan, importance: Floats | None) -> Iterator[TensorPiece]:
    """Yield the pieces of a tensor in order; ``importance`` holds a row of values for each matrix of the stack."""
    source = plan.source
    if not plan.changes:
        block = source.type.width
        step = max(1, _COPIED // block) * block
        for start in range(0, source.nbytes, step):
            nbytes = min(step, source.nbytes - start)
            yield TensorPiece(plan, plan.place.start + start, nbytes, nbytes // block * source.type.block)
        return
    row, rows, *stack = (*source.dims, 1)[:3]
    row_nbytes = row // source.type.block * source.type.width
    step = max(1, _NUMBERS // row)
    for matrix in range(stack[0] if stack else 1):
        weights = None if importance is None else importance[matrix * row : (matrix + 1) * row]
        for first in range(0, rows, step):
            count = min(step, rows - first)
            start = plan.place.start + (matrix * rows + first) * row_nbytes
            yield TensorPiece(plan, start, count * row_nbytes, count * row, weights, matrix * rows + first)


class Worker:
    """The buffers of one thread, and what it does with them."""

    def __init__(self, codec: Codec) -> None:
        import numpy as np

        self._codec = codec
        self._numpy = np
        self._source = np.empty(0, np.uint8)
        self._numbers = np.empty(0, np.float32)

    def run(self, piece: TensorPiece, descriptors: Descriptors, result: Bytes, errors: ErrorSums | None) -> None:
        """Fill ``result``; raises InvalidGGUF where the model holds what is no number."""
        plan, codec = piece.plan, self._codec
        source, target = plan.source.type, plan.tensor.type
        data = self._bytes(piece.nbytes) if plan.changes else result
        plan.place.fill(descriptors, piece.start, data.data)
        if not codec.valid(source, data):
            raise InvalidGGUF(
                f'{plan.place.file.path}: tensor "{plan.source.name}" holds NaN, infinity or no {source.name} at offset {piece.start}',
                hint="it is damaged, or its conversion went wrong; fetch or convert it again",
            )
        if not plan.changes:
            return
        numbers: Floats
        if source.name == "F32":
            numbers = data.view(self._numpy.float32)
        else:
            straight = target.name == "F32" and errors is None and plan.delta is None
            numbers = result.view(self._numpy.float32) if straight else self._floats(piece.numbers)
            codec.decode(source, data, numbers)
            if straight:
                return
        if plan.delta is not None:
            plan.delta.add_to(numbers, piece.first)
        if target.name == "F32":
            result.view(self._numpy.float32)[:] = numbers
        else:
            self._check_range(piece, numbers)
            codec.encode(target, numbers, result, plan.source.dims[0], piece.importance)
            if not codec.valid(target, result):
                raise InvalidGGUF(
                    f'{plan.place.file.path}: tensor "{plan.source.name}" has numbers that {target.name} cannot hold',
                    hint="quantize it to BF16 or F32, or leave it as it is with a rule for this tensor",
                )
        if errors is not None:
            errors.add(codec, target, numbers, result)

    def _check_range(self, piece: TensorPiece, numbers: Floats) -> None:
        """Refuse what squares to infinity: ggml's search for the nearest point of a grid would end the whole program."""
        if (
            piece.plan.tensor.type.name.startswith("IQ")
            and float(self._numpy.abs(numbers).max(initial=0)) > _GRID_LIMIT
        ):
            raise InvalidGGUF(
                f'{piece.plan.place.file.path}: tensor "{piece.plan.source.name}" has numbers above {_GRID_LIMIT:g}',
                hint="it is damaged, or its conversion went wrong; fetch or convert it again",
            )

    def _bytes(self, nbytes: int) -> Bytes:
        if self._source.nbytes < nbytes:
            self._source = self._numpy.empty(nbytes, self._numpy.uint8)
        return self._source[:nbytes]

    def _floats(self, count: int) -> Floats:
        if self._numbers.size < count:
            self._numbers = self._numpy.empty(count, self._numpy.float32)
        return self._numbers[:count]


_GRID_LIMIT = 1e15
