"""Locks between processes on open files, released by the system however their holder ends.

The one place that knows how a system locks: ``flock`` on POSIX, a byte far behind the end of the file on Windows.
"""

from __future__ import annotations

import errno
import os
import sys
import time

_NONE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class NoLocks(OSError):
    """The file system has no locks, as some network file systems."""


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 62
    _RETRY_SECONDS = 0.1

    def lock(descriptor: int, *, waits: bool) -> bool:
        """Take the lock of an open file; False where another process has it and ``waits`` is False. Raises OSError."""
        while True:
            position = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not waits:
                    return False
            else:
                return True
            finally:
                os.lseek(descriptor, position, os.SEEK_SET)
            time.sleep(_RETRY_SECONDS)

else:
    import fcntl

    def lock(descriptor: int, *, waits: bool) -> bool:
        """Take the lock of an open file; False where another process has it and ``waits`` is False.

        Raises NoLocks where the file system has none, else OSError.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NONE:
                raise NoLocks(error.errno, error.strerror) from error
            raise
        return True
