"""Tensor types that the package gguf reads and writes with numpy: the floats, the simple blocks, and reading of most others.

Slower than ggml by far, and bit for bit the same. Source: ggml ``gguf-py/gguf/quants.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.gguf.types import TensorType

_WRITES = frozenset(("F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "TQ1_0", "TQ2_0"))
_READS = _WRITES | {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"}
_FLOATS = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


class NumpyCodec:
    """The types that need no library."""

    name = "numpy"

    def reads(self, kind: TensorType) -> bool:
        """Whether gguf can turn a type into floats."""
        return kind.name in _READS

    def writes(self, kind: TensorType) -> bool:
        """Whether gguf can turn floats into a type."""
        return kind.name in _WRITES

    def prepare(self, kinds: Iterable[TensorType]) -> None:
        """Do nothing: numpy needs no tables."""

    def valid(self, kind: TensorType, data: Any) -> bool:
        """Whether floats are numbers; the scales of other types are looked at when they are decoded."""
        import numpy as np

        if kind.name == "BF16":
            return not bool(((data.view("<u2") & 0x7F80) == 0x7F80).any())
        return kind.name not in _FLOATS or bool(np.isfinite(data.view(_FLOATS[kind.name])).all())

    def decode(self, kind: TensorType, data: Any, numbers: Any) -> None:
        """Turn whole blocks into floats."""
        from gguf import GGMLQuantizationType, quants

        if kind.name == "F16":
            numbers[:] = data.view("<f2")
        else:
            numbers[:] = quants.dequantize(data, GGMLQuantizationType(kind.id)).reshape(-1)

    def encode(self, kind: TensorType, numbers: Any, data: Any, row: int, importance: Any) -> None:
        """Turn rows of floats into whole blocks, each number as important as the other."""
        import numpy as np
        from gguf import GGMLQuantizationType, quants

        del importance
        if kind.name == "F16":
            with np.errstate(over="ignore"):  # what is too large becomes infinite, as everywhere
                data.view("<f2")[:] = numbers
            return
        blocks = quants.quantize(numbers.reshape(-1, row), GGMLQuantizationType(kind.id))
        data[:] = blocks.reshape(-1).view("u1")
