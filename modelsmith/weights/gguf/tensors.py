"""The tensors of a GGUF: their names, shapes, types and places.

Sources: ggml ``gguf.cpp``; Ollama ``fs/ggml/gguf.go`` (checks), ``fs/ggml/ggml.go`` (sizes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from modelsmith.weights.gguf.types import MAX_DIMS, MAX_TENSOR_NAME, TENSOR_TYPES, TensorType

if TYPE_CHECKING:
    import mmap

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_KIND = struct.Struct("<IQ")
_SIGNED_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: ``dims`` in elements, the fastest first; ``offset`` and ``nbytes`` in bytes from the start of the data."""

    name: str
    dims: tuple[int, ...]
    type: TensorType
    offset: int
    nbytes: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.dims)

    def info(self, offset: int) -> bytes:
        """Return its record in a header that places it at ``offset``."""
        name = self.name.encode("utf-8", "surrogateescape")
        dims = struct.pack(f"<I{len(self.dims)}Q", len(self.dims), *self.dims)
        return _U64.pack(len(name)) + name + dims + _KIND.pack(self.type.id, offset)


def read_tensors(buffer: mmap.mmap | bytes, position: int, count: int) -> tuple[tuple[Tensor, ...], int]:
    """Read ``count`` records from ``position`` on; return them and where they end.

    Raises struct.error where the bytes end too early and ValueError where a record cannot be true.
    """
    tensors: dict[str, Tensor] = {}
    total = 0
    for _ in range(count):
        (length,) = _U64.unpack_from(buffer, position)
        if length > MAX_TENSOR_NAME:
            raise ValueError(f"a tensor name of {length} bytes exceeds the maximum {MAX_TENSOR_NAME}")
        name = buffer[position + 8 : position + 8 + length].decode("utf-8", "surrogateescape")
        position += 8 + length
        (ndim,) = _U32.unpack_from(buffer, position)
        if ndim > MAX_DIMS:
            raise ValueError(f'tensor "{name}" dimensions {ndim} exceed the maximum {MAX_DIMS}')
        dims = struct.unpack_from(f"<{ndim}Q", buffer, position + 4)
        position += 4 + 8 * ndim
        kind, offset = _KIND.unpack_from(buffer, position)
        position += _KIND.size
        if name in tensors:
            raise ValueError(f'the tensor "{name}" stands there twice')
        tensor = Tensor(name, dims, _type(name, kind), offset, _nbytes(name, dims, _type(name, kind)))
        total += tensor.elements
        if total > _SIGNED_MAX or offset > _SIGNED_MAX:
            raise ValueError(f'tensor "{name}": its size or offset overflows 64 bits')
        tensors[name] = tensor
    return tuple(tensors.values()), position


def _type(name: str, kind: int) -> TensorType:
    if kind not in TENSOR_TYPES:
        raise ValueError(f'tensor "{name}" has the unknown type {kind}')
    return TENSOR_TYPES[kind]


def _nbytes(name: str, dims: tuple[int, ...], kind: TensorType) -> int:
    row = dims[0] if dims else 1
    if row % kind.block:
        raise ValueError(
            f'tensor "{name}": rows of {row} are not a multiple of the block size {kind.block} of {kind.name}'
        )
    return prod(dims) // kind.block * kind.width
