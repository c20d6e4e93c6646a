"""Copying a part of a file without reading it: shared blocks where the file system can, else inside the kernel.

Sources: Linux ``ioctl_ficlonerange(2)``, ``copy_file_range(2)``, ``lseek(2)``.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from modelsmith.files.segments import CHUNK
from modelsmith.files.sharing import share_range
from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 4096
"""Where shared blocks can begin: a multiple of it in both files."""
_STEP = 32 << 20
_CANNOT = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}


def copy_range(
    source: int,
    start: int,
    target: int,
    place: int,
    length: int,
    progress: ProgressSink = silent,
    status: str = "copying",
) -> str:
    """Copy ``length`` bytes from ``start`` of one file to ``place`` of another; holes stay holes.

    Returns how: ``shared`` blocks, ``copied`` in the kernel, or ``read`` and written. The two files' positions stay anywhere.
    """
    os.ftruncate(target, place + length)
    head = min(-start % BLOCK, length)
    if (start - place) % BLOCK == 0 and head < length and share_range(source, start + head, target, place + head):
        _read_and_write(source, start, target, place, head)
        progress(Progress(status, "", length, length))
        return "shared"
    how, done = "copied", 0
    for begin, end in _extents(source, start, length):
        position = begin
        while position < end:
            count = _copy(
                source,
                position,
                target,
                place + position - start,
                min(_STEP, end - position),
                how,
            )
            if not count:
                how = "read"
                continue
            position += count
            done = position - start
            progress(Progress(status, "", done, length))
    progress(Progress(status, "", length, length))
    return how


def _copy(source: int, start: int, target: int, place: int, count: int, how: str) -> int:
    """Copy some bytes and return how many; 0 where the kernel cannot copy these files, so that they must be read."""
    if how == "read" or not hasattr(os, "copy_file_range"):
        return _read_and_write(source, start, target, place, min(count, CHUNK))
    try:
        copied = os.copy_file_range(source, target, count, start, place)
    except OSError as error:
        if error.errno in _CANNOT:
            return 0
        raise
    if not copied:
        raise OSError(errno.EIO, "the file became shorter while it was copied")
    return copied


def _read_and_write(source: int, start: int, target: int, place: int, count: int) -> int:
    data = os.pread(source, count, start)
    if count and not data:
        raise OSError(errno.EIO, "the file became shorter while it was copied")
    written = 0
    while written < len(data):
        written += os.pwrite(target, data[written:], place + written)
    return len(data)


def _extents(source: int, start: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield where in the range there is data, and not a hole."""
    position, end = start, start + length
    while position < end:
        try:
            begin = os.lseek(source, position, os.SEEK_DATA)
            stop = os.lseek(source, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # nothing but a hole up to the end
            begin, stop = position, end
        if begin >= end:
            return
        yield begin, min(stop, end)
        position = stop
