"""Where a GGUF's bytes come from, and a cursor that reads them from front to back through one window.

A file is read at its places and never mapped: a mapped file that is cut while it is read kills the process.
"""

from __future__ import annotations

import struct
from operator import length_hint
from typing import TYPE_CHECKING, Any, Protocol

from modelsmith.files.reading import read_at
from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import MAX_STRING

if TYPE_CHECKING:
    from modelsmith.files.segments import FileStamp

WINDOW = 1 << 20


class ByteSource(Protocol):
    """Bytes that can be read anywhere, of a file on a disk or on a server."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def stamp(self) -> FileStamp:
        """The file, in the state in which it was found."""

    @property
    def keeps(self) -> bool:
        """Whether what was read is held in memory anyway, because reading it later is dear or impossible."""

    def read(self, start: int, least: int, most: int) -> bytes:
        """Return the bytes from ``start`` on: at least ``least`` (fewer only where the source ends), at most ``most``."""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """An open file."""

    stamp: FileStamp
    descriptor: int
    keeps: bool = False

    @property
    def name(self) -> str:
        """The path."""
        return str(self.stamp.path)

    def read(self, start: int, least: int, most: int) -> bytes:
        """Return the bytes from ``start`` on."""
        del least
        return read_at(self.descriptor, most, start)


class HeaderEndsEarly(Exception):
    """The source ends inside the header; ``position`` is where what is missing should begin."""

    def __init__(self, position: int, length: int) -> None:
        self.position = position
        self.length = length


class StringTooLong(Exception):
    """A text at ``position`` claims to be longer than any may be."""

    def __init__(self, position: int, length: int) -> None:
        self.position = position
        self.length = length


class Cursor:
    """Reads numbers, bytes and rows of texts; checks every length against the source before it is believed."""

    def __init__(self, source: ByteSource, order: str) -> None:
        self.source = source
        self.size = source.stamp.size
        self.position = 0
        self.order = order
        self._window, self._start = b"", 0
        self._u32, self._u64 = struct.Struct(f"{order}I"), struct.Struct(f"{order}Q")

    def _index(self, length: int) -> int:
        index = self.position - self._start
        if index < 0 or index + length > len(self._window):
            if self.position + length > self.size:
                raise HeaderEndsEarly(self.position, length)
            self._window = self.source.read(self.position, length, max(length, WINDOW))
            self._start, index = self.position, 0
            if len(self._window) < length:
                raise self.source.stamp.changed()
        return index

    def u32(self) -> int:
        """Read an unsigned number of 32 bits."""
        index = self._index(4)
        self.position += 4
        value: int = self._u32.unpack_from(self._window, index)[0]
        return value

    def u64(self) -> int:
        """Read an unsigned number of 64 bits."""
        index = self._index(8)
        self.position += 8
        value: int = self._u64.unpack_from(self._window, index)[0]
        return value

    def numbers(self, letters: str) -> tuple[Any, ...]:
        """Read several numbers, given by the letters of the module struct."""
        form = self.order + letters
        length = struct.calcsize(form)
        index = self._index(length)
        self.position += length
        return struct.unpack_from(form, self._window, index)

    def take(self, length: int) -> bytes:
        """Read bytes."""
        index = self._index(length)
        self.position += length
        return self._window[index : index + length]

    def skip(self, length: int) -> None:
        """Go on behind bytes that must be there and need not be read."""
        if self.position + length > self.size:
            raise HeaderEndsEarly(self.position, length)
        self.position += length

    def skip_strings(self, count: int) -> None:
        """Go on behind ``count`` texts; raises StringTooLong at the first that cannot be one."""
        while count:
            index = self._index(8)
            done, end = _walk(self._window, index, count, self._u64)
            if self._start + end > self.size or end > MAX_STRING:
                self._check_last(index, end)
            count -= done
            self.position = self._start + end

    def _check_last(self, offset: int, end: int) -> None:
        """Look at the last text that begins within the window; one too long for any window is always the last."""
        last = offset
        while offset < end:
            last = offset
            offset += 8 + self._u64.unpack_from(self._window, offset)[0]
        length, position = end - last - 8, self._start + last
        if length > MAX_STRING:
            raise StringTooLong(position, length)
        if self._start + end > self.size:
            raise HeaderEndsEarly(position, 8 + length)


def _walk(window: bytes, offset: int, count: int, u64: struct.Struct) -> tuple[int, int]:
    """Return how many of ``count`` strings begin within the window from ``offset`` on, and where the last of them ends."""
    unpack, left = u64.unpack_from, iter(range(count))
    try:
        for _ in left:
            (length,) = unpack(window, offset)
            offset += 8 + length
    except (struct.error, OverflowError):
        return count - length_hint(left) - 1, offset
    return count, offset
