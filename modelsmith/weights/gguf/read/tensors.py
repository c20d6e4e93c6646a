"""The tensors of a GGUF: their names, shapes, types and places.

Sources: ggml ``gguf.cpp``; Ollama ``fs/ggml/gguf.go`` (checks), ``fs/ggml/ggml.go`` (sizes).
"""

from __future__ import annotations

import struct
from dataclasses import field
from math import prod
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import MAX_DIMS, MAX_TENSOR_NAME, TENSOR_TYPES, TensorType

if TYPE_CHECKING:
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.read.source import Cursor

_U64 = struct.Struct("<Q")
_KIND = struct.Struct("<IQ")
_SIGNED_MAX = (1 << 63) - 1
_NEWER = "a newer modelsmith may know it; else get another quantization of the model"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: ``dims`` in elements, the fastest first; ``offset`` and ``nbytes`` in bytes from the start of the data.

    ``at`` is the byte of the file where its record begins, 0 for one that was not read from a file.
    """

    name: str
    dims: tuple[int, ...]
    type: TensorType
    offset: int
    nbytes: int
    at: int = field(default=0, compare=False)

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.dims)

    def info(self, offset: int) -> bytes:
        """Return its record in a header that places it at ``offset``."""
        name = self.name.encode("utf-8", "surrogateescape")
        dims = struct.pack(f"<I{len(self.dims)}Q", len(self.dims), *self.dims)
        return _U64.pack(len(name)) + name + dims + _KIND.pack(self.type.id, offset)


class UnreadableRecord(Exception):
    """A tensor's record after which nothing can be read any more."""

    def __init__(self, message: str, offset: int, expected: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.expected = expected


def read_tensors(cursor: Cursor, count: int, faults: Faults) -> tuple[Tensor, ...]:
    """Read ``count`` records; those that cannot be true are left out, with a fault for each.

    Raises HeaderEndsEarly where the bytes end too early and UnreadableRecord where a length cannot be one.
    """
    tensors: dict[str, Tensor] = {}
    total = 0
    for _ in range(count):
        at = cursor.position
        name = _name(cursor, at, faults)
        at_dims = cursor.position
        ndim = cursor.u32()
        if ndim > MAX_DIMS:
            raise UnreadableRecord(
                f'tensor "{name}" dimensions {ndim} exceed the maximum {MAX_DIMS}', at_dims, f"at most {MAX_DIMS}"
            )
        dims: tuple[int, ...] = cursor.numbers(f"{ndim}Q")
        at_type = cursor.position
        kind, offset = cursor.numbers("IQ")
        if name in tensors:
            faults.add("duplicate-tensor", f'the tensor "{name}" stands there twice', at, "a name of its own")
        elif kind not in TENSOR_TYPES:
            faults.add(
                "unknown-tensor-type",
                f'tensor "{name}" has the unknown type {kind}',
                at_type,
                "a type of ggml",
                _NEWER,
            )
        elif (dims[0] if dims else 1) % TENSOR_TYPES[kind].block:
            type_ = TENSOR_TYPES[kind]
            faults.add(
                "broken-block",
                f'tensor "{name}": rows of {dims[0] if dims else 1} are not a multiple of the block size {type_.block} of {type_.name}',
                at_dims + 4,
                f"a multiple of {type_.block}",
            )
        elif total + prod(dims) > _SIGNED_MAX or offset > _SIGNED_MAX:
            faults.add(
                "overflow",
                f'tensor "{name}": its size or offset overflows 64 bits',
                at_dims + 4 if offset <= _SIGNED_MAX else at_type + 4,
                f"at most {_SIGNED_MAX}",
            )
        else:
            total += prod(dims)
            type_ = TENSOR_TYPES[kind]
            tensors[name] = Tensor(name, dims, type_, offset, prod(dims) // type_.block * type_.width, at)
    return tuple(tensors.values())


def _name(cursor: Cursor, at: int, faults: Faults) -> str:
    length = cursor.u64()
    if length > MAX_TENSOR_NAME:
        raise UnreadableRecord(
            f"a tensor name of {length} bytes exceeds the maximum {MAX_TENSOR_NAME}", at, f"at most {MAX_TENSOR_NAME}"
        )
    raw = cursor.take(length)
    name = raw.decode("utf-8", "surrogateescape")
    if not name.isascii() and any("\udc80" <= char <= "\udcff" for char in name):
        name = raw.decode("utf-8", "backslashreplace")
        faults.add("not-utf-8", f'the tensor name "{name}" is not UTF-8', at + 8, "a text in UTF-8")
    return name
