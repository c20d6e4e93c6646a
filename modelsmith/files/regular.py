"""Opening files that others named: regular files only, never a pipe, a device or a directory (CVE-2024-39721)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from modelsmith.errors import UnreadableFile
from modelsmith.files.reading import READ_ONLY

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_regular(path: str | os.PathLike[str], info: os.stat_result) -> None:
    """Raise UnreadableFile unless ``info`` is that of a regular file."""
    if stat.S_ISREG(info.st_mode):
        return
    kind = next((name for test, name in _KINDS if test(info.st_mode)), "not a regular file")
    hint = "name one of the files in it" if kind == "a directory" else "name a regular file"
    raise UnreadableFile(f"{os.fspath(path)} is {kind}", hint=hint)


def stat_regular(path: str | os.PathLike[str]) -> os.stat_result:
    """Return the state of a regular file (symbolic links followed); raises UnreadableFile."""
    try:
        info = Path(path).stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    check_regular(path, info)
    return info


def open_regular(path: str | os.PathLike[str]) -> int:
    """Return a file descriptor that reads a regular file; raises UnreadableFile."""
    stat_regular(path)
    try:
        descriptor = os.open(path, READ_ONLY)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        check_regular(path, os.fstat(descriptor))
    except UnreadableFile:
        os.close(descriptor)
        raise
    return descriptor


def _unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> UnreadableFile:
    name = os.fspath(path)
    if isinstance(error, FileNotFoundError):
        return UnreadableFile(f"{name} does not exist", hint=f"looked for {Path(path).absolute()}")
    if isinstance(error, PermissionError):
        return UnreadableFile(f"{name} may not be read by this user", hint=f'check its permissions: ls -l "{name}"')
    reason = error.strerror if isinstance(error, OSError) else error
    return UnreadableFile(f"{name!r} cannot be opened: {reason}")
