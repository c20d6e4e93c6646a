"""The header of a GGUF that lies on a server: fetched in steps that grow, and nothing behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from modelsmith.errors import InvalidGGUF, Unsupported
from modelsmith.files.segments import FileStamp
from modelsmith.weights.gguf.read.reader import Scan, scan

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink

FIRST_STEP = 256 << 10
MAX_HEADER = 64 << 20


class RangeReader(Protocol):
    """Reads bytes of one file at an offset: the door to whatever server it is on."""

    @property
    def name(self) -> str:
        """Its URL, without credentials."""

    def read(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, fewer only where the file ends."""

    @property
    def size(self) -> int:
        """How many bytes the file has; known after the first read."""


@dataclass(frozen=True, slots=True)
class RemoteStamp(FileStamp):
    """A file on a server, of which only the header is here."""

    def open(self) -> NoReturn:
        """Raise Unsupported."""
        raise Unsupported(f"only the header of {self.path.name} was fetched", hint="download the file first")


class RemoteSource:
    """The beginning of a file on a server, as far as it was asked for."""

    keeps = True

    def __init__(self, reader: RangeReader, progress: ProgressSink) -> None:
        self._reader = reader
        self._progress = progress
        self._prefix = bytearray(reader.read(0, FIRST_STEP))
        self._step = FIRST_STEP
        self.name = reader.name
        self.stamp = RemoteStamp(Path(reader.name.rpartition("/")[2] or reader.name), reader.size, 0, 0)

    @property
    def fetched(self) -> int:
        """How many bytes of the file are here."""
        return len(self._prefix)

    def read(self, start: int, least: int, most: int) -> bytes:
        """Return the bytes from ``start`` on, fetching more where they are not here yet."""
        from modelsmith.progress import Progress

        while start + least > len(self._prefix) < self.stamp.size:
            have = len(self._prefix)
            if start + least > MAX_HEADER:
                raise InvalidGGUF(
                    f"{self.name}: its header is longer than {MAX_HEADER} bytes",
                    offset=have,
                    expected=f"at most {MAX_HEADER} bytes",
                    hint="download the file and look at it here",
                )
            self._step = min(self._step * 2, MAX_HEADER)
            more = self._reader.read(have, min(max(self._step, start + least - have), self.stamp.size - have))
            if not more:
                raise self.stamp.changed()
            self._prefix += more
            self._progress(Progress("fetching the header", "", have + len(more), self.stamp.size))
        return bytes(self._prefix[start : start + most])


def scan_remote(reader: RangeReader, progress: ProgressSink) -> tuple[Scan, int]:
    """Read and check the header of a file on a server; return also how many bytes of it were fetched."""
    source = RemoteSource(reader, progress)
    found = scan(source)
    return found, source.fetched
