"""Weights of eight bits turned back into F32 by their scales.

Source: OCP 8-bit floating point specification (bit layouts); llama.cpp ``conversion/base.py`` (how scales spread).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.rows import Rows

if TYPE_CHECKING:
    from modelsmith.weights.convert.rows import Array, Files

KINDS = frozenset(("F8_E4M3", "F8_E5M2"))


class Scaled(Rows):
    """FP8 numbers, each times the scale of its block, of its row, or of the tensor."""

    kind = "F32"

    def __init__(self, name: str, source: Rows, scale: Rows, block: tuple[int, int] | None) -> None:
        self.shape = source.shape
        self.files = tuple(dict.fromkeys((*source.files, *scale.files)))
        self._source = source
        self._scale = scale
        self._rows, self._columns = self._spread(name, block)

    def _spread(self, name: str, block: tuple[int, int] | None) -> tuple[int, int]:
        """Return over how many rows and columns one scale reaches; raises where the shapes do not fit."""
        rows, columns, shape = self.count, self.length, self._scale.shape
        if block is not None and shape == (-(-rows // block[0]), -(-columns // block[1])):
            return block
        if block is None and self._scale.count * self._scale.length == 1:
            return rows, columns
        if block is None and shape in {(rows, 1), (rows,)}:
            return 1, columns
        spread = f"blocks of {block[0]}x{block[1]}" if block else "one scale a tensor or a row"
        raise InvalidCheckpoint(
            f'the scales of tensor "{name}" have the shape {list(shape)}, which does not fit {list(self.shape)} and {spread}',
            hint="config.json says in quantization_config how it was quantized; take the BF16 checkpoint instead",
        )

    def read(self, files: Files, first: int, stop: int) -> Array:
        """Return the products."""
        import numpy as np

        rows, columns = self._rows, self._columns
        numbers = _table(self._source.kind)[self._source.read(files, first, stop)]
        begin = first // rows
        count = self._scale.count
        wanted = self._scale.floats(files, begin, min(-(-stop // rows), count)).astype(np.float32)
        across = wanted.repeat(columns, axis=1)[:, : self.length]
        if rows == 1:
            return np.asarray(numbers * across)
        scales = across.repeat(rows, axis=0)[first - begin * rows : stop - begin * rows]
        return np.asarray(numbers * scales)


@lru_cache(maxsize=2)
def _table(kind: str) -> Array:
    """Return what each of the 256 bytes stands for."""
    import numpy as np

    exponent_bits, bias = (4, 7) if kind == "F8_E4M3" else (5, 15)
    mantissa_bits = 7 - exponent_bits
    table = np.empty(256, np.float32)
    for byte in range(256):
        exponent = byte >> mantissa_bits & (1 << exponent_bits) - 1
        mantissa = byte & (1 << mantissa_bits) - 1
        fraction = mantissa / (1 << mantissa_bits)
        size = fraction * 2.0 ** (1 - bias) if exponent == 0 else (1 + fraction) * 2.0 ** (exponent - bias)
        if kind == "F8_E4M3" and byte & 0x7F == 0x7F:
            size = np.nan
        if kind == "F8_E5M2" and exponent == 31:
            size = np.nan if mantissa else np.inf
        table[byte] = -size if byte & 0x80 else size
    return table
