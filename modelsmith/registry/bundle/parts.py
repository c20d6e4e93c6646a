"""A file that may be cut into parts (``NAME.001``, ``NAME.002`` …), written and read as one."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from itertools import accumulate, count
from typing import TYPE_CHECKING, Self

from modelsmith.errors import StoreError, UnreadableFile
from modelsmith.files.outputs import check_output, keep
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.files.stream import write_all
from modelsmith.files.unfinished import start_unfinished

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_NUMBERED = re.compile(r"(.+)\.(\d{3,})")


def part_name(target: Path, number: int) -> Path:
    """Return the name of a part, counted from 1."""
    return target.with_name(f"{target.name}.{number:03}")


class PartsWriter:
    """Writes one file, or parts of at most ``limit`` bytes; they get their names together at the end, or never."""

    def __init__(self, target: Path, limit: int | None, *, force: bool) -> None:
        self._target, self._limit, self._force = target, limit, force
        self._open: list[tuple[int, Path, Path]] = []
        self._room = 0
        self.size = 0
        check_output(self._name(1), force=force)

    def _name(self, number: int) -> Path:
        return self._target if self._limit is None else part_name(self._target, number)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(target for _, _, target in self._open)

    def __enter__(self) -> Self:
        return self

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes; raises StoreError where they cannot be written."""
        rest = memoryview(data)
        try:
            while rest:
                if not self._open or (self._limit is not None and not self._room):
                    self._next()
                piece = rest if self._limit is None else rest[: self._room]
                write_all(self._open[-1][0], piece)
                self._room -= len(piece)
                self.size += len(piece)
                rest = rest[len(piece) :]
        except OSError as error:
            raise StoreError(
                f"{self._name(len(self._open) or 1)} cannot be written: {error.strerror or error}",
                hint="free some space, or name another place",
            ) from error

    def _next(self) -> None:
        target = self._name(len(self._open) + 1)
        check_output(target, force=self._force)
        descriptor, unfinished = start_unfinished(target)
        self._open.append((descriptor, unfinished, target))
        self._room = self._limit or 0

    def publish(self) -> None:
        """Give the files their names; those that stood there are kept."""
        try:
            for descriptor, unfinished, target in self._open:
                os.fchmod(descriptor, 0o644)
                os.fsync(descriptor)
                keep(target)
                unfinished.replace(target)
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror or error}") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for descriptor, unfinished, _ in self._open:
            os.close(descriptor)
            unfinished.unlink(missing_ok=True)


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
            raise UnreadableFile(f"{path} is no file", hint="name a bundle: what modelsmith export has written")
        return FileStamp.of(path, path.stat())
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
