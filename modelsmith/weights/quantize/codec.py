"""What every codec of tensor types can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from modelsmith.weights.gguf.types import TensorType

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
    Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


class Codec(Protocol):
    """Reads and writes rows of tensors. May be called by several threads at once."""

    name: str

    def reads(self, kind: TensorType) -> bool:
        """Whether ``decode`` can read a type."""

    def writes(self, kind: TensorType) -> bool:
        """Whether ``encode`` can write a type."""

    def prepare(self, kinds: Iterable[TensorType]) -> None:
        """Get ready for writing these types; called once, before any thread starts."""

    def valid(self, kind: TensorType, data: Bytes) -> bool:
        """Whether whole blocks hold numbers only, no NaN and no infinity."""

    def decode(self, kind: TensorType, data: Bytes, numbers: Floats) -> None:
        """Fill ``numbers`` with what whole blocks hold."""

    def encode(self, kind: TensorType, numbers: Floats, data: Bytes, row: int, importance: Floats | None) -> None:
        """Fill ``data`` with rows of ``row`` numbers; ``importance`` has one value for each column."""
