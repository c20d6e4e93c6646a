"""What one or several adapters add to a tensor, rows at a time, so that memory does not grow with the model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.weights.adapters.lora import Lora, LoraPair, Matrix


class Delta:
    """The sum of the products of several pairs for one tensor. May be used by several threads at once."""

    __slots__ = ("_done", "_factors", "_lock", "_pairs", "shape")

    def __init__(self, pairs: Sequence[tuple[LoraPair, float]]) -> None:
        self._pairs = tuple(pairs)
        self.shape = pairs[0][0].shape
        self._lock = threading.Lock()
        self._factors: tuple[Matrix, Matrix] | None = None
        self._done = 0

    def add_to(self, numbers: Matrix, first: int) -> None:
        """Add to whole rows of the tensor, of which ``first`` is the first; ``numbers`` may be flat."""
        rows = numbers.reshape(-1, self.shape[1])
        b, a = self._loaded()
        rows += b[first : first + len(rows)] @ a
        with self._lock:
            self._done += len(rows)
            if self._done >= self.shape[0]:  # the tensor is through: the next run reads them again
                self._factors, self._done = None, 0

    def _loaded(self) -> tuple[Matrix, Matrix]:
        import numpy as np

        with self._lock:
            if self._factors is None:
                # side by side: the product of the joined matrices is the sum of the products
                factors = [pair.factors(weight) for pair, weight in self._pairs]
                self._factors = (
                    np.ascontiguousarray(np.concatenate([b for b, _ in factors], axis=1)),
                    np.ascontiguousarray(np.concatenate([a for _, a in factors], axis=0)),
                )
            return self._factors


def deltas_of(adapters: Sequence[tuple[Lora, float]]) -> Mapping[str, Delta]:
    """Return what adapters, each with its weight, add to which tensor."""
    names = dict.fromkeys(name for lora, _ in adapters for name in lora.pairs)
    return {
        name: Delta([(lora.pairs[name], weight) for lora, weight in adapters if name in lora.pairs]) for name in names
    }
