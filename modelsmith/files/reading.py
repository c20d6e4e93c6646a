"""Opening and reading at a place, on systems that differ: Windows has no ``pread`` and none of the flags of POSIX."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    READ_ONLY = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT

    def read_at(descriptor: int, length: int, position: int) -> bytes:
        """Return at most ``length`` bytes from ``position`` on; the descriptor's own place moves."""
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.read(descriptor, length)

    def fill_at(descriptor: int, view: memoryview, position: int) -> int:
        """Read into ``view`` from ``position`` on; return how many bytes came."""
        data = read_at(descriptor, len(view), position)
        view[: len(data)] = data
        return len(data)

else:
    # O_NONBLOCK: should a pipe have taken the place of a file since, opening must not wait for a writer
    READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

    def read_at(descriptor: int, length: int, position: int) -> bytes:
        """Return at most ``length`` bytes from ``position`` on."""
        return os.pread(descriptor, length, position)

    def fill_at(descriptor: int, view: memoryview, position: int) -> int:
        """Read into ``view`` from ``position`` on; return how many bytes came."""
        return os.preadv(descriptor, [view], position)
