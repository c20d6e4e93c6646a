"""Files that grow beside the place they will take, and are removed by a later run if their own is killed.

Each is locked while it grows. One that nobody holds any more was left by a process that is dead.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.files.locking import NoLocks, lock
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK = ".modelsmith-"
_NAME = regex(r"\..*\.modelsmith-[a-z0-9_]{8}")
_LONGEST = 180  # bytes of the target's name that are kept: a name has 255 at most
_cleaned: set[Path] = set()


def start_unfinished(target: Path) -> tuple[int, Path]:
    """Make a new, locked file beside ``target`` and return its descriptor and path; first removes what dead runs left there.

    The lock ends with the descriptor: give the file its name before closing it. Raises OSError.
    """
    remove_left(target.parent)
    start = os.fsdecode(os.fsencode(target.name)[:_LONGEST])
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{start}{_MARK}", dir=target.parent)
        try:
            if _is_ours(descriptor, Path(name)):
                return descriptor, Path(name)
        except BaseException:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)
            raise
        os.close(descriptor)  # another run took it for left before it was locked


def remove_left(folder: Path) -> None:
    """Remove what dead runs of this user left in a folder; looks there once a process."""
    if folder in _cleaned:
        return
    _cleaned.add(folder)
    with suppress(OSError):
        for path in _left(folder):
            path.unlink(missing_ok=True)


def _left(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _NAME.fullmatch(entry.name)]
    for name in names:
        path = folder / name
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            info = os.fstat(descriptor)
            is_ours = stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid()
            if is_ours and lock(descriptor, waits=False):
                yield path
        except NoLocks:
            continue  # nobody can know whether its process lives
        finally:
            os.close(descriptor)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock a new file; False where it was removed meanwhile."""
    try:
        if not lock(descriptor, waits=False):
            return False
    except NoLocks:
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
