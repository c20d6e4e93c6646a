"""A file that may be cut into parts (``NAME.001``, ``NAME.002`` …), written and read as one."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from itertools import accumulate, count
from typing import TYPE_CHECKING, Self

from modelsmith.errors import StoreError, UnreadableFile, UsageError
from modelsmith.files.locking import NoLocks, lock
from modelsmith.files.outputs import check_output, check_place, keep, kept_name, stands_in_the_way
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.files.stream import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_UNFINISHED = ".modelsmith-unfinished"
_LONGEST = 180  # bytes of the target's name that are kept: a name has 255 at most
_NUMBERED = re.compile(r"(.+)\.(\d{3,})")


def part_name(target: Path, number: int) -> Path:
    """Return the name of a part, counted from 1."""
    return target.with_name(f"{target.name}.{number:03}")


class PartsWriter:
    """Writes one file, or parts of at most ``limit`` bytes; they get their names together at the end, or never.

    What a killed or interrupted run has written is compared, byte for byte, instead of written again: ``found`` says how many bytes
    were there. It is removed after any other end. ``kept`` are the files that were replaced, and where they are now.
    """

    def __init__(self, target: Path, limit: int | None, *, force: bool) -> None:
        self._target, self._limit, self._force = target, limit, force
        self._open: list[_Growing | _Standing] = []
        self.size = 0
        self.kept: dict[Path, Path] = {}
        check_place(self._name(1))

    def _name(self, number: int) -> Path:
        return self._target if self._limit is None else part_name(self._target, number)

    def _further(self) -> Iterator[Path]:
        """Yield the parts of an older bundle that would be read as a part of this one."""
        for number in count(len(self._open) + 1):
            if self._limit is None or not os.path.lexists(path := self._name(number)):
                return
            yield path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(part.target for part in self._open)

    @property
    def found(self) -> int:
        """How many bytes an earlier run had written already."""
        return sum(part.found for part in self._open)

    def __enter__(self) -> Self:
        return self

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes; raises StoreError where they cannot be written."""
        rest = memoryview(data)
        try:
            while rest:
                if not self._open or (self._limit is not None and self._open[-1].size == self._limit):
                    self._next()
                part = self._open[-1]
                piece = rest if self._limit is None else rest[: self._limit - part.size]
                part.add(piece)
                self.size += len(piece)
                rest = rest[len(piece) :]
        except OSError as error:
            raise StoreError(
                f"{self._name(len(self._open) or 1)} cannot be written: {error.strerror or error}",
                hint="free some space, or name another place",
            ) from error

    def _next(self) -> None:
        target = self._name(len(self._open) + 1)
        check_place(target)
        standing = not self._force and stands_in_the_way(target)
        self._open.append(_Standing(target) if standing else _Growing(target))

    def publish(self) -> None:
        """Give the files their names; those that stood there are kept, and so are the further parts of a longer bundle."""
        try:
            for part in self._open:
                part.finish()
            for path in self._further():
                check_output(path, force=self._force)
            for part in self._open:
                if isinstance(part, _Standing):
                    continue
                if (kept := keep(part.target, part.path)) is not None:
                    self.kept[part.target] = kept
                part.path.replace(part.target)
            for path in self._further():
                self.kept[path] = path.rename(kept_name(path))
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror or error}") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        failed = kind is not None and issubclass(
            kind, Exception
        )  # else somebody interrupts it, and it goes on the next time
        for part in self._open:
            if failed and not isinstance(part, _Standing):
                part.path.unlink(missing_ok=True)
            part.close()
        if kind is None:
            for path in _left(self._target):
                path.unlink(missing_ok=True)


class _Growing:
    """A part that grows beside its name, locked. Bytes that stand there already are compared, and what differs is cut off."""

    def __init__(self, target: Path) -> None:
        self.target, self.path = target, _unfinished(target)
        self.size = self.found = 0
        self._descriptor = _opened(self.path)
        self._there = os.fstat(self._descriptor).st_size

    def add(self, data: memoryview) -> None:
        """Add bytes, or find them there."""
        while data and self.size < self._there:
            same = os.pread(self._descriptor, min(len(data), self._there - self.size), self.size)
            if not same or same != bytes(data[: len(same)]):
                os.ftruncate(self._descriptor, self.size)
                self._there = self.size
                break
            self.size += len(same)
            self.found += len(same)
            data = data[len(same) :]
        if data:
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
            write_all(self._descriptor, data)
            self.size += len(data)

    def finish(self) -> None:
        """Bring all of it to the disk, and cut off what an earlier run wrote beyond it."""
        os.ftruncate(self._descriptor, self.size)
        os.fchmod(self._descriptor, 0o644)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Give the lock away."""
        os.close(self._descriptor)


class _Standing:
    """A part that stands there already: whatever of it is not what would be written is refused."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.size = 0
        self._descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def found(self) -> int:
        """How many bytes were found there."""
        return self.size

    def add(self, data: memoryview) -> None:
        """Find bytes there; raises UsageError."""
        if os.pread(self._descriptor, len(data), self.size) != bytes(data):
            check_output(self.target, force=False)
        self.size += len(data)

    def finish(self) -> None:
        """Raise UsageError where there is more."""
        if os.fstat(self._descriptor).st_size != self.size:
            check_output(self.target, force=False)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def _unfinished(target: Path) -> Path:
    start = os.fsdecode(os.fsencode(target.name)[:_LONGEST])
    return target.with_name(f".{start}{_UNFINISHED}")


def _left(target: Path) -> Iterator[Path]:
    """Yield what dead runs for the same target left, perhaps with parts of another size."""
    name = re.compile(re.escape(f".{target.name}") + r"(\.\d{3,})?" + re.escape(_UNFINISHED))
    with os.scandir(target.parent) as entries:
        paths = [target.with_name(entry.name) for entry in entries if name.fullmatch(entry.name)]
    for path in paths:
        try:
            descriptor = _opened(path)
        except (OSError, UsageError):
            continue
        yield path
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open, or make, a file that only this process writes; raises UsageError where another run is at it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            if _is_ours(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock a file that was opened; False where the run that held it has just finished."""
    info = os.fstat(descriptor)
    if not (stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and info.st_nlink <= 1):
        raise UsageError(f"{path} is not a file that export has begun", hint="remove it, or name another place")
    if not _locked(descriptor):
        raise UsageError(f"another export is writing {path}", hint="wait for it, or name another file")
    try:
        return os.path.samestat(path.lstat(), info)
    except FileNotFoundError:
        return False


def _locked(descriptor: int) -> bool:
    try:
        return lock(descriptor, waits=False)
    except NoLocks:
        return True


class PartsReader:
    """Reads one file, or all its parts in order, as one. Any part, or the name without a number, names them all."""

    def __init__(self, path: Path) -> None:
        self.paths = _found(path)
        self._stamps = tuple(_stamp(part) for part in self.paths)
        self._ends = tuple(accumulate(stamp.size for stamp in self._stamps))
        self.size = self._ends[-1]
        self.place = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        data = b"".join(piece.read() for piece in self.slices(self.place, min(size, self.size - self.place)))
        self.place += len(data)
        return data

    def skip_to(self, place: int) -> None:
        """Go on from a byte."""
        self.place = place

    def slices(self, start: int, length: int) -> tuple[FileSlice, ...]:
        """Return where bytes are, part by part."""
        found = []
        number = bisect_right(self._ends, start)
        while length > 0 and number < len(self._stamps):
            stamp = self._stamps[number]
            within = start - (self._ends[number] - stamp.size)
            count_here = min(length, stamp.size - within)
            found.append(FileSlice(stamp, within, count_here))
            start, length, number = start + count_here, length - count_here, number + 1
        return tuple(found)


def _found(path: Path) -> tuple[Path, ...]:
    whole = path
    if not path.is_file() and part_name(path, 1).is_file():
        whole = path
    elif match := _NUMBERED.fullmatch(path.name):
        whole = path.with_name(match[1])
    else:
        return (path,)
    parts = []
    for number in count(1):
        part = part_name(whole, number)
        if not part.is_file():
            break
        parts.append(part)
    if not parts:
        raise UnreadableFile(f"{part_name(whole, 1)} is missing", hint="all parts must lie in one folder")
    numbers = sorted(
        int(match[1])
        for other in whole.parent.glob(f"{whole.name}.*")
        if (match := re.fullmatch(r".*\.(\d{3,})", other.name))
    )
    if numbers[-1] > len(parts):
        raise UnreadableFile(
            f"{part_name(whole, len(parts) + 1)} is missing, and there are {len(numbers)} parts up to {numbers[-1]:03}",
            hint="all parts must lie in one folder",
        )
    return tuple(parts)


def _stamp(path: Path) -> FileStamp:
    try:
        if not path.is_file():
            raise UnreadableFile(f"{path} is no file", hint="name a bundle: what `modelsmith export` has written")
        return FileStamp.of(path, path.stat())
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
