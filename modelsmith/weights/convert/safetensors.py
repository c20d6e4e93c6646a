"""The header of a Safetensors file: what tensors it holds and where their bytes are. Nothing of their data is read.

Source: safetensors ``README.md`` (format) and ``src/tensor.rs`` (checks: offsets without holes and overlaps, sizes that
match, a header of at most 100 MB). Here a header may be a third of that, which no model comes near.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from modelsmith.errors import InvalidCheckpoint
from modelsmith.files.regular import open_regular
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.records import dataclass
from modelsmith.weights.gguf.read.foreign import identify
from modelsmith.weights.gguf.read.source import LocalSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsmith.weights.gguf.read.source import ByteSource

MAX_HEADER = 32 << 20
MAX_TENSORS = 1 << 18
_MAX_DIMS = 8
_MAX_NUMBER = (1 << 63) - 1
_LENGTH = 8
_AGAIN = "it is damaged or was not downloaded completely; fetch it again"

DTYPES: Mapping[str, int] = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""The types of numbers, and the bits of one."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as a checkpoint holds it: ``shape`` with the fastest dimension last, ``place`` where its bytes are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: FileSlice

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class SafetensorsFile:
    """The header of one file: its tensors by name, in the order of their bytes, and its ``__metadata__``."""

    stamp: FileStamp
    metadata: Mapping[str, str]
    tensors: Mapping[str, StoredTensor]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> SafetensorsFile:
        """Read and check the header of a file; raises UnreadableFile or InvalidCheckpoint, each with the way out."""
        descriptor = open_regular(path)
        try:
            return cls.read(LocalSource(FileStamp.of(Path(path), os.fstat(descriptor)), descriptor))
        finally:
            os.close(descriptor)

    @classmethod
    def read(cls, source: ByteSource) -> SafetensorsFile:
        """Read and check the header of a file on a disk or a server."""
        return _Reader(source).read()

    @property
    def path(self) -> Path:
        """The file."""
        return self.stamp.path


class _Reader:
    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._stamp = source.stamp

    def read(self) -> SafetensorsFile:
        size = self._stamp.size
        start = self._source.read(0, min(size, 512), 512)
        length = int.from_bytes(start[:_LENGTH], "little")
        if size < _LENGTH + 2 or start[_LENGTH : _LENGTH + 1] != b"{":
            foreign = identify(start, size)
            what = foreign.what.replace('not in GGUF format (it does not begin with "GGUF")', "no Safetensors file")
            self._fail(f"it is {what}", foreign.hint.replace("name the .gguf", "name the .safetensors"))
        if length > MAX_HEADER:
            self._fail(f"its header should have {length:,} bytes, and at most {MAX_HEADER:,} are read")
        if _LENGTH + length > size:
            self._fail(f"its header should have {length:,} bytes, and the file ends after {size:,}")
        text = self._source.read(_LENGTH, length, length)
        if len(text) != length:
            raise self._stamp.changed()
        header = self._parsed(text)
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            self._fail("its __metadata__ is not a table of texts")
        if len(header) > MAX_TENSORS:
            self._fail(f"it has {len(header):,} tensors, and at most {MAX_TENSORS:,} are read")
        data = _LENGTH + length
        tensors = sorted(
            (self._tensor(name, entry, data) for name, entry in header.items()),
            key=lambda tensor: (tensor.place.start, tensor.place.length),
        )
        self._check_order(tensors, data)
        return SafetensorsFile(self._stamp, metadata, {tensor.name: tensor for tensor in tensors})

    def _parsed(self, text: bytes) -> dict[str, Any]:
        try:
            header = json.loads(text.decode(), object_pairs_hook=self._unique)
        except (ValueError, RecursionError) as error:
            self._fail(f"its header is no JSON: {error}")
        if not isinstance(header, dict):
            self._fail("its header is no table")
        return header

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            self._fail(f'its header names "{twice}" twice')
        return table

    def _tensor(self, name: str, entry: Any, data: int) -> StoredTensor:
        if not isinstance(entry, dict):
            self._fail(f'the entry of tensor "{name}" is no table')
        dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            self._fail(f'tensor "{name}" has the unknown type {dtype!r}', "a newer modelsmith may know it")
        if not _is_numbers(shape) or len(shape) > _MAX_DIMS:
            self._fail(f'tensor "{name}" has the shape {shape!r}, which is none')
        if not _is_numbers(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
            self._fail(f'tensor "{name}" has the offsets {offsets!r}, which are no two ascending numbers')
        length = offsets[1] - offsets[0]
        bits = prod(shape) * DTYPES[dtype]
        if bits != 8 * length:
            self._fail(f'tensor "{name}" has {length:,} bytes, and {dtype} {shape} needs {bits // 8:,}')
        return StoredTensor(name, dtype, tuple(shape), FileSlice(self._stamp, data + offsets[0], length))

    def _check_order(self, tensors: list[StoredTensor], data: int) -> None:
        end, before = data, "the header"
        for tensor in tensors:
            if tensor.place.start < end:
                self._fail(f'tensor "{tensor.name}" overlaps {before}')
            if tensor.place.start > end:
                self._fail(f'{tensor.place.start - end:,} bytes before tensor "{tensor.name}" belong to none')
            end, before = end + tensor.place.length, f'tensor "{tensor.name}"'
        if end > self._stamp.size:
            self._fail(f"it ends after {self._stamp.size:,} bytes, and its tensors need {end:,}")
        if end < self._stamp.size:
            self._fail(f"{self._stamp.size - end:,} bytes at its end belong to no tensor")

    def _fail(self, reason: str, hint: str = _AGAIN) -> NoReturn:
        raise InvalidCheckpoint(f"{self._source.name}: {reason}", hint=hint)


def _is_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and 0 <= size <= _MAX_NUMBER for size in value)


def all_tensors(files: Iterable[SafetensorsFile]) -> dict[str, StoredTensor]:
    """Return the tensors of all files by name; raises InvalidCheckpoint where two files hold the same one."""
    found: dict[str, StoredTensor] = {}
    for file in files:
        for name, tensor in file.tensors.items():
            if name in found:
                raise InvalidCheckpoint(
                    f'tensor "{name}" is in {found[name].place.file.path.name} and in {file.path.name}',
                    hint="remove the file that does not belong to this checkpoint",
                )
            found[name] = tensor
    return found
