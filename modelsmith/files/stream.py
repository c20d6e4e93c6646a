"""Moving the bytes of segments: hashed in one pass, in constant memory."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import deque
from typing import TYPE_CHECKING

from modelsmith.files.segments import CHUNK, FileSlice, read_into
from modelsmith.files.sharing import share_file
from modelsmith.manifest import Digest
from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from modelsmith.files.segments import Segment

_BUFFERS = 16
FLUSH = 8 << 20
_WRITE = 128 << 10


def size_of(segments: Sequence[Segment]) -> int:
    """Return how many bytes the segments hold together."""
    return sum(map(len, segments))


def chunks(segments: Sequence[Segment]) -> Iterator[memoryview]:
    """Yield the bytes in pieces that the caller may keep."""
    return read_into(segments, (memoryview(bytearray(CHUNK)) for _ in itertools.count()))


def hash_segments(segments: Sequence[Segment], progress: ProgressSink = silent, status: str = "hashing") -> Digest:
    """Return the digest of the bytes."""
    sha, done, total = hashlib.sha256(), 0, size_of(segments)
    for chunk in read_into(segments, itertools.repeat(memoryview(bytearray(CHUNK)))):
        sha.update(chunk)
        done += len(chunk)
        progress(Progress(status, "", done, total))
    return Digest(sha.hexdigest())


def clone(segments: Sequence[Segment], descriptor: int) -> bool:
    """Let the file system share the bytes of one whole file with another (copy on write); False where it cannot."""
    if len(segments) != 1 or not isinstance(segments[0], FileSlice) or segments[0].length != segments[0].file.size:
        return False
    source = segments[0].file.open()
    try:
        return share_file(source, descriptor)
    finally:
        os.close(source)


def copy_segments(
    segments: Sequence[Segment], descriptor: int, progress: ProgressSink = silent, status: str = "copying"
) -> Digest:
    """Write the bytes to a file and return their digest: of what was written, whatever happens to the sources meanwhile.

    A second thread hashes (hashlib lets go of the interpreter) while this one reads and writes.
    """
    sha, done, flushed, total = hashlib.sha256(), 0, 0, size_of(segments)
    ring = [memoryview(bytearray(CHUNK)) for _ in range(_BUFFERS)]
    hashing: deque[Future[None]] = deque()

    def buffers() -> Iterator[memoryview]:
        for buffer in itertools.cycle(ring):
            if len(hashing) == _BUFFERS:
                hashing.popleft().result()
            yield buffer

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as hasher:
        for chunk in read_into(segments, buffers()):
            hashing.append(hasher.submit(sha.update, chunk))
            write_all(descriptor, chunk)
            done += len(chunk)
            if done - flushed >= FLUSH:
                start_flushing(descriptor, flushed, done - flushed)
                flushed = done
            progress(Progress(status, "", done, total))
    return Digest(sha.hexdigest())


def start_flushing(descriptor: int, start: int, length: int) -> None:
    """Let the disk begin with what is written, so that the fsync at the end does not have to wait for all of it."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def write_all(descriptor: int, data: memoryview | bytes) -> None:
    """Write every byte of ``data``, a little at a time.

    For a large write Linux may look for as large a piece of free memory, which takes longer than the writing itself.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[:_WRITE]) :]
