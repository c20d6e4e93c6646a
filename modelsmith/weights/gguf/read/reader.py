"""Reading a GGUF's header: every length and offset checked before it is believed.

Strings and arrays are skipped by their lengths; nothing but keys, small values and tensor names is held in memory.
Sources: ggml ``gguf.cpp``; Ollama ``fs/ggml/gguf.go``, ``fs/gguf/gguf.go`` (limits).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.files.regular import open_regular, stat_regular
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.memo import remembered
from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import Entry, Metadata, text_of
from modelsmith.weights.gguf.read.extents import check_extents
from modelsmith.weights.gguf.read.fault import AGAIN, Fault, Faults
from modelsmith.weights.gguf.read.source import ByteSource, Cursor, HeaderEndsEarly, LocalSource, StringTooLong
from modelsmith.weights.gguf.read.tensors import Tensor, UnreadableRecord, read_tensors
from modelsmith.weights.gguf.types import (
    DEFAULT_ALIGNMENT,
    MAGIC,
    MAX_ALIGNMENT,
    MAX_ARRAY,
    MAX_KEPT,
    MAX_KEY,
    MAX_KEYS,
    MAX_STRING,
    MAX_TENSORS,
    MAX_TEXTS,
    WIDTHS,
    ValueType,
)

if TYPE_CHECKING:
    from pathlib import Path

_START = 24
_HEAD = 512  # enough to tell other files by
_SMALL = 4096  # values up to this size are kept when the header is read
_ALIGNMENT = "general.alignment"
_MAGICS = (MAGIC, MAGIC[::-1])  # big-endian files begin with either
_SWAPPED = {version << 24 for version in (1, 2, 3)}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the tensors' data; ``order`` is ``<`` for little-endian and ``>`` for big-endian files."""

    stamp: FileStamp
    version: int
    metadata: Metadata
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int
    order: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What could be read of a header (None where it cannot be read to its end), and all that is wrong with it."""

    header: Header | None
    faults: tuple[Fault, ...]


def scan_file(path: Path) -> Scan:
    """Read and check the header of a file, once a command while it stays as it is; raises UnreadableFile."""

    def read() -> Scan:
        descriptor = open_regular(path)
        try:
            return scan(LocalSource(FileStamp.of(path, os.fstat(descriptor)), descriptor))
        finally:
            os.close(descriptor)

    return remembered(("GGUF header", FileStamp.of(path, stat_regular(path))), read)


def scan(source: ByteSource) -> Scan:
    """Read and check a header."""
    faults = Faults()
    try:
        header = _Reader(source, faults).read()
    except _Stop as stop:
        faults.note(stop.fault)
        header = None
    return Scan(header, tuple(faults))


class _Stop(Exception):
    """A fault after which nothing more can be read."""

    def __init__(
        self, code: str, message: str, offset: int | None = None, expected: str = "", hint: str = AGAIN
    ) -> None:
        self.fault = Fault(code, message, offset, expected, hint)


class _Reader:
    def __init__(self, source: ByteSource, faults: Faults) -> None:
        self.source = source
        self.size = source.stamp.size
        self.faults = faults
        self.reading = "the start of the header"
        self.kept = self.texts = 0

    def read(self) -> Header:
        head = self.source.read(0, min(_HEAD, self.size), _HEAD)
        if head[:4] not in _MAGICS:
            from modelsmith.weights.gguf.read.foreign import identify

            foreign = identify(head, self.size)
            raise _Stop("not-a-gguf", f"the file is {foreign.what}", 0, 'the four bytes "GGUF"', foreign.hint)
        if self.size < _START:
            raise _Stop(
                "header-cut", f"the file ends after {self.size} bytes, inside the GGUF header", self.size, f"{_START} bytes or more"
            )  # fmt: skip
        order = ">" if head.startswith(_MAGICS[1]) or int.from_bytes(head[4:8], "little") in _SWAPPED else "<"
        self.cursor = Cursor(self.source, order)
        self.cursor.skip(4)
        version, tensor_count, key_count = self.cursor.numbers("IQQ")
        self._check_start(version, tensor_count, key_count)
        try:
            metadata = self._metadata(key_count)
            self.reading = "the records of the tensors"
            tensors = read_tensors(self.cursor, tensor_count, self.faults)
        except HeaderEndsEarly as early:
            raise _Stop(
                "header-cut",
                f"the header does not end within the file's {self.size} bytes: they end inside {self.reading}",
                early.position,
                f"{early.length} bytes, of which {max(self.size - early.position, 0)} are there",
            ) from None
        except StringTooLong as long:
            raise _Stop(
                "too-long",
                f"{self.reading}: string length {long.length} exceeds the maximum {MAX_STRING}",
                long.position,
                f"at most {MAX_STRING}",
            ) from None
        except UnreadableRecord as broken:
            raise _Stop("broken-tensor", str(broken), broken.offset, broken.expected) from None
        alignment = self._alignment(metadata)
        data_offset = self.cursor.position + -self.cursor.position % alignment
        check_extents(tensors, data_offset, alignment, self.size, self.faults)
        return Header(self.source.stamp, version, metadata, tensors, alignment, data_offset, order)

    def _check_start(self, version: int, tensor_count: int, key_count: int) -> None:
        if version == 1:
            raise _Stop(
                "old-version",
                "GGUF version 1 is no longer read, by llama.cpp neither",
                4,
                "version 2 or 3",
                "convert the model again with a current converter",
            )
        if version not in {2, 3}:
            hint = "a newer modelsmith may read it"
            raise _Stop(
                "unknown-version", f"GGUF version {version} is not known (2 and 3 are)", 4, "version 2 or 3", hint
            )
        for count, most, what, offset in (
            (tensor_count, MAX_TENSORS, "tensors", 8),
            (key_count, MAX_KEYS, "metadata keys", 16),
        ):
            if count > most:
                raise _Stop("too-many", f"{count} {what} exceed the maximum {most}", offset, f"at most {most}")

    def _metadata(self, count: int) -> Metadata:
        entries: dict[str, Entry] = {}
        for number in range(count):
            self.reading = f"metadata key {number + 1} of {count}"
            entry = self._entry()
            name = text_of(entry.key)
            if "\ufffd" in name and name.encode() != entry.key:
                self.faults.add("not-utf-8", f'the metadata key "{name}" is not UTF-8', entry.at + 8, "a text in UTF-8")
            if name in entries:
                self.faults.add(
                    "duplicate-key", f'the metadata key "{name}" stands there twice', entry.at, "a name of its own"
                )
            else:
                entries[name] = entry
        return Metadata(entries)

    def _entry(self) -> Entry:
        cursor, at = self.cursor, self.cursor.position
        length = cursor.u64()
        if length > MAX_KEY:
            message = f"a metadata key of {length} bytes exceeds the maximum {MAX_KEY}"
            raise _Stop("too-long", message, at, f"at most {MAX_KEY}")
        self._keep(length, at)
        key = cursor.take(length)
        self.reading = f'the value of "{text_of(key)}"'
        at_type = cursor.position
        kind = cursor.u32()
        if kind == ValueType.ARRAY:
            return self._array(key, at)
        if kind == ValueType.STRING:
            (length,) = cursor.numbers("Q")
            if length > MAX_STRING:
                raise StringTooLong(at_type + 4, length)
            cursor.position -= 8
            return Entry(key, kind, self._value(8 + length), order=cursor.order, at=at)
        if kind not in WIDTHS:
            message = f'"{text_of(key)}" has the unknown value type {kind}'
            raise _Stop("unknown-value-type", message, at_type, "a type from 0 to 12")
        return Entry(key, kind, self._value(WIDTHS[kind]), order=cursor.order, at=at)

    def _array(self, key: bytes, at: int) -> Entry:
        cursor = self.cursor
        start = cursor.position
        kind, count = cursor.numbers("IQ")
        name = text_of(key)
        if kind != ValueType.STRING and kind not in WIDTHS:
            nested = "an array of arrays" if kind == ValueType.ARRAY else f"an array of the unknown type {kind}"
            raise _Stop(
                "nested-array" if kind == ValueType.ARRAY else "unknown-value-type",
                f'"{name}" is {nested}',
                start,
                "a type from 0 to 12 but 9: llama.cpp and Ollama refuse arrays of arrays",
            )
        if count > MAX_ARRAY:
            message = f'"{name}": array size {count} exceeds the maximum {MAX_ARRAY}'
            raise _Stop("too-many", message, start + 4, f"at most {MAX_ARRAY}")
        begin = cursor.position
        if kind == ValueType.STRING:
            if begin + 8 * count > self.size:
                raise HeaderEndsEarly(begin, 8 * count)
            self.texts += count
            if self.texts > MAX_TEXTS:
                message = f'"{name}": array size {count}: the arrays hold more than {MAX_TEXTS} texts together'
                raise _Stop("too-many", message, start + 4, f"at most {MAX_TEXTS}")
            cursor.skip_strings(count)
            length, cursor.position = cursor.position - begin, begin
        else:
            length = count * WIDTHS[kind]
        return Entry(key, ValueType.ARRAY, self._value(length), kind, count, cursor.order, at)

    def _keep(self, length: int, at: int) -> None:
        self.kept += length
        if self.kept > MAX_KEPT:
            message = f"the metadata keys and their small values have more than {MAX_KEPT} bytes together"
            raise _Stop("too-many", message, at, f"at most {MAX_KEPT} bytes")

    def _value(self, length: int) -> bytes | FileSlice:
        cursor, start = self.cursor, self.cursor.position
        if self.source.keeps:
            return cursor.take(length)
        if length <= _SMALL:
            self._keep(length, start)
            return cursor.take(length)
        cursor.skip(length)
        return FileSlice(self.source.stamp, start, length)

    def _alignment(self, metadata: Metadata) -> int:
        if _ALIGNMENT not in metadata:
            return DEFAULT_ALIGNMENT
        alignment = metadata.uint(_ALIGNMENT)
        if alignment.bit_count() == 1 and alignment <= MAX_ALIGNMENT:
            return alignment
        self.faults.add(
            "bad-alignment",
            f"{_ALIGNMENT} must be an UINT32 and a power of two up to {MAX_ALIGNMENT}, not {metadata[_ALIGNMENT]!r:.60}",
            metadata.entry(_ALIGNMENT).at,
            f"a power of two up to {MAX_ALIGNMENT} as UINT32",
        )
        return DEFAULT_ALIGNMENT
