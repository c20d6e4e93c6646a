"""Reading a GGUF's header: every length and offset checked before it is believed.

Strings and arrays are skipped by their lengths; nothing but keys, small values and tensor names is held in memory.
Sources: ggml ``gguf.cpp``; Ollama ``fs/ggml/gguf.go``, ``fs/gguf/gguf.go`` (limits).
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from operator import length_hint
from typing import TYPE_CHECKING, NoReturn

from modelsmith.errors import InvalidGGUF
from modelsmith.weights.gguf.foreign import identify
from modelsmith.weights.gguf.metadata import Entry, Metadata, text_of
from modelsmith.weights.gguf.tensors import Tensor, read_tensors
from modelsmith.weights.gguf.types import (
    DEFAULT_ALIGNMENT,
    MAGIC,
    MAX_ALIGNMENT,
    MAX_ARRAY,
    MAX_KEYS,
    MAX_STRING,
    MAX_TENSORS,
    WIDTHS,
    ValueType,
)
from modelsmith.weights.regular import open_regular
from modelsmith.weights.segments import FileSlice, FileStamp

if TYPE_CHECKING:
    from pathlib import Path

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_START = struct.Struct("<4sIQQ")
_ARRAY = struct.Struct("<IQ")
_WINDOW = 1 << 20
_SMALL = 4096  # values up to this size are kept when the header is read
_AGAIN = "it is damaged or was not downloaded completely; fetch it again"
_SWAPPED = {version << 24 for version in (1, 2, 3)}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the tensors' data."""

    stamp: FileStamp
    version: int
    metadata: Metadata
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int


def read_header(path: Path) -> Header:
    """Read and check the header of a GGUF file; raises UnreadableFile or InvalidGGUF."""
    descriptor = open_regular(path)
    try:
        stamp = FileStamp.of(path, os.fstat(descriptor))
        head = os.pread(descriptor, 512, 0)
        if not head.startswith(MAGIC):
            foreign = identify(head, stamp.size)
            raise InvalidGGUF(f"{path} is {foreign.what}", hint=foreign.hint)
        if stamp.size < _START.size:
            raise InvalidGGUF(f"{path} ends after {stamp.size} bytes, inside the GGUF header", hint=_AGAIN)
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as buffer:
            return _Reader(stamp, buffer).read()
    finally:
        os.close(descriptor)


class _Reader:
    def __init__(self, stamp: FileStamp, buffer: mmap.mmap) -> None:
        self.stamp = stamp
        self.buffer = buffer
        self.position = _START.size

    def fail(self, reason: str, hint: str = _AGAIN) -> NoReturn:
        raise InvalidGGUF(f"{self.stamp.path}: {reason}", hint=hint)

    def read(self) -> Header:
        _, version, tensor_count, key_count = _START.unpack_from(self.buffer)
        self._check_start(version, tensor_count, key_count)
        try:
            metadata = self._metadata(key_count)
            tensors, end = read_tensors(self.buffer, self.position, tensor_count)
        except struct.error:
            self.fail(f"the header does not end within the file's {self.stamp.size} bytes")
        except ValueError as error:
            self.fail(str(error))
        alignment = self._alignment(metadata)
        data_offset = end + -end % alignment
        for tensor in tensors:
            if data_offset + tensor.offset + tensor.nbytes > self.stamp.size:
                self.fail(
                    f'tensor "{tensor.name}" needs the file to have {data_offset + tensor.offset + tensor.nbytes} bytes, '
                    f"it has {self.stamp.size}"
                )
        return Header(self.stamp, version, metadata, tensors, alignment, data_offset)

    def _check_start(self, version: int, tensor_count: int, key_count: int) -> None:
        if version in _SWAPPED:
            self.fail("it is big-endian", "only little-endian GGUFs run on this machine; get or convert that variant")
        if version == 1:
            self.fail(
                "GGUF version 1 is no longer read, by llama.cpp neither",
                "convert the model again with a current converter",
            )
        if version not in {2, 3}:
            self.fail(f"GGUF version {version} is not known (2 and 3 are)", "a newer modelsmith may read it")
        if key_count > MAX_KEYS:
            self.fail(f"{key_count} metadata keys exceed the maximum {MAX_KEYS}")
        if tensor_count > MAX_TENSORS:
            self.fail(f"{tensor_count} tensors exceed the maximum {MAX_TENSORS}")

    def _metadata(self, count: int) -> Metadata:
        entries: dict[str, Entry] = {}
        for _ in range(count):
            entry = self._entry()
            name = text_of(entry.key)
            if name in entries:
                self.fail(f'the metadata key "{name}" stands there twice')
            entries[name] = entry
        return Metadata(entries)

    def _entry(self) -> Entry:
        buffer = self.buffer
        (length,) = _U64.unpack_from(buffer, self.position)
        if length > MAX_STRING:
            self.fail(f"a metadata key of {length} bytes exceeds the maximum {MAX_STRING}")
        start = self.position + 8
        key = buffer[start : start + length]
        (kind,) = _U32.unpack_from(buffer, start + length)
        self.position = start + length + 4
        if kind == ValueType.ARRAY:
            return self._array(key)
        if kind == ValueType.STRING:
            (length,) = _U64.unpack_from(buffer, self.position)
            if length > MAX_STRING:
                self.fail(f'"{text_of(key)}": string length {length} exceeds the maximum {MAX_STRING}')
            return Entry(key, kind, self._take(8 + length))
        if kind not in WIDTHS:
            self.fail(f'"{text_of(key)}" has the unknown value type {kind}')
        return Entry(key, kind, self._take(WIDTHS[kind]))

    def _array(self, key: bytes) -> Entry:
        kind, count = _ARRAY.unpack_from(self.buffer, self.position)
        self.position += _ARRAY.size
        if count > MAX_ARRAY:
            self.fail(f'"{text_of(key)}": array size {count} exceeds the maximum {MAX_ARRAY}')
        if kind == ValueType.STRING:
            length = self._skip_strings(count) - self.position
        elif kind in WIDTHS:
            length = count * WIDTHS[kind]
        else:
            nested = "an array of arrays" if kind == ValueType.ARRAY else f"an array of the unknown type {kind}"
            self.fail(f'"{text_of(key)}" is {nested}')
        return Entry(key, ValueType.ARRAY, self._take(length), kind, count)

    def _skip_strings(self, count: int) -> int:
        """Return where ``count`` strings end. Walks copies of the file: bytes are read twice as fast as a mmap."""
        start = self.position
        while count:
            window = self.buffer[start : start + _WINDOW]
            done, length = _walk(window, count)
            if not done:
                raise struct.error
            if length > MAX_STRING:
                self._check_strings(window)
            count -= done
            start += length
        return start

    def _check_strings(self, window: bytes) -> None:
        offset = 0
        while offset + 8 <= len(window):
            (length,) = _U64.unpack_from(window, offset)
            if length > MAX_STRING:
                self.fail(f"string length {length} exceeds the maximum {MAX_STRING}")
            offset += 8 + length

    def _take(self, length: int) -> bytes | FileSlice:
        start, end = self.position, self.position + length
        if end > self.stamp.size:
            raise struct.error
        self.position = end
        return self.buffer[start:end] if length <= _SMALL else FileSlice(self.stamp, start, length)

    def _alignment(self, metadata: Metadata) -> int:
        key = "general.alignment"
        if key not in metadata:
            return DEFAULT_ALIGNMENT
        alignment = metadata.uint(key)
        if alignment.bit_count() != 1 or alignment > MAX_ALIGNMENT:
            self.fail(f"{key} must be an UINT32 and a power of two up to {MAX_ALIGNMENT}, not {metadata[key]!r:.60}")
        return alignment


def _walk(window: bytes, count: int) -> tuple[int, int]:
    """Return how many of ``count`` strings begin within the window, and where the last of them ends."""
    unpack, offset, left = _U64.unpack_from, 0, iter(range(count))
    try:
        for _ in left:
            (length,) = unpack(window, offset)
            offset += 8 + length
    except (struct.error, OverflowError):
        return count - length_hint(left) - 1, offset
    return count, offset
