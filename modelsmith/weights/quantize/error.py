"""How far quantized numbers are from what they were: summed up piece by piece, in 64 bits."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.weights.gguf.types import TensorType
    from modelsmith.weights.quantize.codec import Bytes, Codec, Floats


@dataclass(frozen=True, slots=True)
class TensorError:
    """One tensor's error: root of the mean square, the largest, and the root relative to the numbers' own (0.05 is 5 %)."""

    rmse: float
    largest: float
    relative: float


class ErrorSums:
    """Sums for one tensor; threads may add to it at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._errors = 0.0
        self._squares = 0.0
        self._largest = 0.0

    def add(self, codec: Codec, kind: TensorType, numbers: Floats, data: Bytes) -> None:
        """Compare numbers with what their quantized form says."""
        import numpy as np

        back = np.empty_like(numbers)
        if kind.name == "F32":
            back[:] = data.view(np.float32)
        else:
            codec.decode(kind, data, back)
        np.subtract(back, numbers, out=back)
        largest = float(max(-back.min(initial=0), back.max(initial=0)))
        errors, squares = _square_sum(back), _square_sum(numbers)
        with self._lock:
            self._count += numbers.size
            self._errors += errors
            self._squares += squares
            self._largest = max(self._largest, largest)

    def result(self) -> TensorError:
        """Return the error of everything that was added."""
        relative = sqrt(self._errors / self._squares) if self._squares else 0.0
        return TensorError(sqrt(self._errors / max(1, self._count)), self._largest, relative)


def _square_sum(numbers: Floats) -> float:
    """Return the sum of the squares: in 32 bits within a stretch, in 64 bits over all of them."""
    import numpy as np

    whole = numbers[: len(numbers) // 256 * 256].reshape(-1, 256)
    rest = numbers[len(whole) * 256 :]
    return float(np.einsum("ij,ij->i", whole, whole).sum(dtype=np.float64)) + float(np.dot(rest, rest))
