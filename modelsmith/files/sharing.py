"""Asking a file system to let two files share their blocks (copy on write), where the system can.

Sources: Linux ``ioctl_ficlone(2)``, ``ioctl_ficlonerange(2)``, ``linux/fs.h``.
"""

from __future__ import annotations

import struct

_FICLONE = 0x40049409
_FICLONERANGE = 0x4020940D


def share_file(source: int, target: int) -> bool:
    """Let ``target`` have all blocks of ``source``; False where the file system, or the operating system, cannot."""
    return _control(target, _FICLONE, source)


def share_range(source: int, start: int, target: int, place: int) -> bool:
    """Let ``target`` have, from ``place`` on, the blocks of ``source`` from ``start`` to its end; False where that cannot be."""
    return _control(target, _FICLONERANGE, struct.pack("qQQQ", source, start, 0, place))


def _control(descriptor: int, request: int, argument: int | bytes) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.ioctl(descriptor, request, argument)
    except OSError:
        return False
    return True
