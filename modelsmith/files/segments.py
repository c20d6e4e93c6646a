"""Bytes of a file to be: pieces of other files and bytes in memory, in order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, TypeAlias

from modelsmith.errors import UnreadableFile
from modelsmith.files.reading import fill_at, read_at
from modelsmith.files.regular import open_regular
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    Descriptors: TypeAlias = "Mapping[FileStamp, int]"

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file in one state; a read that finds another state is refused, so that no two states are mixed."""

    path: Path
    size: int
    modified: int  # nanoseconds
    inode: int

    @classmethod
    def of(cls, path: Path, info: os.stat_result) -> FileStamp:
        """Return the stamp of the file at ``path`` that ``info`` describes."""
        return cls(path, info.st_size, info.st_mtime_ns, info.st_ino)

    def open(self) -> int:
        """Return a descriptor that reads the file; raises UnreadableFile when it has changed."""
        descriptor = open_regular(self.path)
        if FileStamp.of(self.path, os.fstat(descriptor)) != self:
            os.close(descriptor)
            raise self.changed()
        return descriptor

    def changed(self) -> UnreadableFile:
        """Return the error for a file that is another one now."""
        return UnreadableFile(
            f"{self.path} changed while it was being read", hint="wait until it is complete, then run again"
        )


class Place(Protocol):
    """Where a tensor's bytes come from: a piece of a file, or something that computes them."""

    @property
    def file(self) -> FileStamp:
        """The file to name in messages."""

    @property
    def files(self) -> tuple[FileStamp, ...]:
        """The files that have to be open."""

    @property
    def start(self) -> int:
        """Where the tensor begins."""

    def fill(self, descriptors: Descriptors, start: int, view: memoryview) -> None:
        """Fill ``view`` with the bytes from ``start`` on."""


@dataclass(frozen=True, slots=True)
class FileSlice:
    """``length`` bytes of a file from ``start`` on."""

    file: FileStamp
    start: int
    length: int

    def __len__(self) -> int:
        return self.length

    @property
    def files(self) -> tuple[FileStamp, ...]:
        """The file that holds the bytes."""
        return (self.file,)

    def fill(self, descriptors: Descriptors, start: int, view: memoryview) -> None:
        """Fill ``view`` with the file's bytes from ``start`` on."""
        done = 0
        while done < len(view):
            count = fill_at(descriptors[self.file], view[done:], start + done)
            if not count:
                raise self.file.changed()
            done += count

    def read(self) -> bytes:
        """Return the bytes."""
        descriptor = self.file.open()
        try:
            data = read_at(descriptor, self.length, self.start)
        finally:
            os.close(descriptor)
        if len(data) != self.length:
            raise self.file.changed()
        return data


Segment = bytes | FileSlice


def joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the same bytes in the fewest segments: neighbours are merged, empty ones dropped."""
    result: list[Segment] = []
    buffer: list[bytes] = []
    for segment in segments:
        if isinstance(segment, bytes):
            if segment:
                buffer.append(segment)
            continue
        if not segment.length:
            continue
        if buffer:
            result.append(b"".join(buffer))
            buffer.clear()
        last = result[-1] if result else b""
        if isinstance(last, FileSlice) and last.file == segment.file and last.start + last.length == segment.start:
            result[-1] = FileSlice(last.file, last.start, last.length + segment.length)
        else:
            result.append(segment)
    if buffer:
        result.append(b"".join(buffer))
    return tuple(result)


def read_into(segments: Iterable[Segment], buffers: Iterator[memoryview]) -> Iterator[memoryview]:
    """Fill buffer after buffer with the bytes of ``segments``; yield each one's filled part before the next is taken.

    Small segments share a buffer, so that thousands of small tensors cost no more than a few large ones.
    """
    descriptors: dict[FileStamp, int] = {}
    buffer, used = next(buffers), 0
    try:
        for segment in segments:
            position, end = 0, len(segment)
            while position < end:
                room = buffer[used : used + end - position]
                if isinstance(segment, bytes):
                    room[:] = segment[position : position + len(room)]
                    count = len(room)
                else:
                    if segment.file not in descriptors:
                        descriptors[segment.file] = segment.file.open()
                    count = fill_at(descriptors[segment.file], room, segment.start + position)
                    if not count:
                        raise segment.file.changed()
                position += count
                used += count
                if used == len(buffer):
                    yield buffer
                    buffer, used = next(buffers), 0
        if used:
            yield buffer[:used]
        for stamp, descriptor in descriptors.items():
            if FileStamp.of(stamp.path, os.fstat(descriptor)) != stamp:
                raise stamp.changed()
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
