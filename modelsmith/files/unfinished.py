"""Files and folders that grow beside the place they will take, and are removed by a later run if their own is killed.

Each is locked while it grows. One that nobody holds any more was left by a process that is dead.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.files.locking import NoLocks, lock
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_MARK = ".modelsmith-"
_FOLDER_MARK = ".modelsmith-folder-"
_NAME = regex(r"\..*\.modelsmith-[a-z0-9_]{8}")
_FOLDER_NAME = regex(r"\..*\.modelsmith-folder-[a-z0-9_]{8}")
_LONGEST = 180  # bytes of the target's name that are kept: a name has 255 at most
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_READ_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
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


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """Make a new, locked folder beside ``target``, for this user alone; what of it has no other name at the end is removed.

    Raises OSError.
    """
    remove_left(target.parent)
    start = os.fsdecode(os.fsencode(target.name)[:_LONGEST])
    descriptor: int | None = None
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{start}{_FOLDER_MARK}", dir=target.parent))
        try:
            descriptor = os.open(folder, _READ_FOLDER)
        except OSError:
            if os.name == "posix":
                continue  # another run took it for left before it was locked
            break  # Windows opens no folders, and locks none
        if _is_ours(descriptor, folder):
            break
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def scratch_folder() -> AbstractContextManager[Path]:
    """Make a folder for what is needed for a while, where the system has such; see ``unfinished_folder``."""
    return unfinished_folder(Path(tempfile.gettempdir()) / "scratch")


def remove_left(folder: Path) -> None:
    """Remove what dead runs of this user left in a folder; looks there once a process."""
    place = folder.absolute()
    if place in _cleaned:
        return
    _cleaned.add(place)
    with suppress(OSError):
        for path, is_folder in _left(folder):
            if is_folder:
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _left(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what dead runs left, and whether it is a folder; it is locked until the next is asked for."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _MARK in entry.name]
    for name in names:
        path, is_folder = folder / name, _FOLDER_NAME.fullmatch(name) is not None
        if not is_folder and not _NAME.fullmatch(name):
            continue
        try:
            descriptor = os.open(path, (_READ_FOLDER if is_folder else os.O_RDWR) | _NO_LINK)
        except OSError:
            continue
        try:
            info = os.fstat(descriptor)
            is_kind = stat.S_ISDIR(info.st_mode) if is_folder else stat.S_ISREG(info.st_mode)
            is_ours = is_kind and info.st_uid == os.geteuid()
            if is_ours and lock(descriptor, waits=False):
                yield path, is_folder
        except NoLocks:
            continue  # nobody can know whether its process lives
        finally:
            os.close(descriptor)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock a new file or folder; False where it was removed meanwhile."""
    try:
        if not lock(descriptor, waits=False):
            return False
    except NoLocks:
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
