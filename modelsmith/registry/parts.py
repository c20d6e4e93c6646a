"""A file that grows in parts, and the note beside it of how far each part has come.

The note is written after the bytes it speaks of, so that whatever ends the process, what it says is there. What a
failure of the power may lose of that is found by the hash over the whole file.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.files.locking import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.manifest import Digest
    from modelsmith.store.folder import Folder

_RECORD = struct.Struct("<QQQ")  # start, how far it has come, end
_MAX_PARTS = 4096
_LEAST_PART = 16 << 20


class Part:
    """Bytes ``start`` to ``end`` of a file, there up to ``done``."""

    __slots__ = ("done", "end", "index", "start")

    def __init__(self, index: int, start: int, done: int, end: int) -> None:
        self.index, self.start, self.done, self.end = index, start, done, end


class PartFile:
    """A blob on its way: ``descriptor`` to write to, and its parts."""

    def __init__(self, folder: Folder, name: str, size: int, descriptor: int, note: int) -> None:
        self._folder = folder
        self._name = name
        self.path = folder.path / name
        self.size = size
        self.descriptor = descriptor
        self._note = note
        self.parts: list[Part] = []

    @property
    def done(self) -> int:
        """How many bytes are there."""
        return sum(part.done - part.start for part in self.parts)

    @property
    def frontier(self) -> int:
        """How many bytes are there from the start on, without a gap."""
        place = 0
        for part in self.parts:
            place = part.done
            if part.done < part.end:
                break
        return place

    def advance(self, part: Part, count: int) -> None:
        """Note that a part has come ``count`` bytes further; they are in the file already."""
        part.done += count
        os.pwrite(self._note, _RECORD.pack(part.start, part.done, part.end), part.index * _RECORD.size)

    def begin(self, count: int) -> None:
        """Start from nothing with about ``count`` parts."""
        os.ftruncate(self._note, 0)
        os.ftruncate(self.descriptor, 0)
        step = max(_LEAST_PART, -(-self.size // max(1, min(count, _MAX_PARTS))))
        starts = range(0, self.size, step)
        self.parts = [Part(i, start, start, min(start + step, self.size)) for i, start in enumerate(starts)]
        for part in self.parts:
            self.advance(part, 0)

    def resume(self) -> bool:
        """Read what an earlier run left; False where there is nothing that can be gone on with."""
        data = os.pread(self._note, _MAX_PARTS * _RECORD.size, 0)
        if not data or len(data) % _RECORD.size:
            return False
        parts = [Part(i, *record) for i, record in enumerate(_RECORD.iter_unpack(data))]
        there, place = os.fstat(self.descriptor).st_size, 0
        for part in parts:
            if part.start != place or not part.start <= part.done <= part.end:
                return False
            if part.done > part.start and part.done > there:
                return False
            place = part.end
        if place != self.size:
            return False
        self.parts = parts
        return True

    def discard(self) -> None:
        """Remove the file and its note."""
        self._folder.remove(self._name)
        self._folder.remove(note_name(self._name))


def note_name(name: str) -> str:
    """Return the name of a file's note."""
    return f"{name}.parts"


@contextmanager
def growing(folder: Folder, digest: Digest, size: int) -> Iterator[PartFile]:
    """Open the growing file of a blob in ``folder``; one process at a time has it. Raises StoreError."""
    name = digest.file_name
    try:
        descriptor = _locked(folder, name)
        try:
            note = folder.own(note_name(name), os.O_RDWR)
            try:
                yield PartFile(folder, name, size, descriptor, note)
            finally:
                os.close(note)
        finally:
            os.close(descriptor)
    except OSError as error:
        hint = "free some space, or name another place" if error.errno == errno.ENOSPC else "check its permissions"
        raise StoreError(
            f"{folder.path / name} cannot be written: {error.strerror}; what came is kept", hint=hint
        ) from error


def _locked(folder: Folder, name: str) -> int:
    """Open and lock; the file may have been moved into a store while we waited for its lock."""
    while True:
        descriptor = folder.own(name, os.O_RDWR)
        try:
            lock(descriptor, waits=True)
            if os.path.samestat(os.fstat(descriptor), folder.status(name)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
