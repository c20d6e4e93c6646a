"""Writing large files whole or not at all: beside their place first, on the disk, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, StoreError, UnreadableFile
from modelsmith.files import outputs
from modelsmith.files.outputs import keep
from modelsmith.files.unfinished import start_unfinished, unfinished_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(target: Path, like: os.stat_result | None = None, *, keeps: bool = True) -> Iterator[tuple[int, Path]]:
    """Hand out a new file (descriptor and path) that takes the target's place at the end, and vanishes on any error before.

    It gets mode and owner of ``like``, else what the umask says. What it replaces is kept beside it, unless ``keeps`` is False
    (an edit that can be undone). Raises UnreadableFile for what the system refuses.
    """
    unfinished: Path | None = None
    try:
        descriptor, unfinished = start_unfinished(target)
        try:
            yield descriptor, unfinished
            if like is not None:
                with suppress(PermissionError):  # another's file in a shared folder becomes ours
                    os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode) if like is not None else 0o666 & ~_umask())
            os.fsync(descriptor)
            if keeps:
                outputs.keep(target, unfinished)
            unfinished.replace(target)
            unfinished = None
        finally:
            os.close(descriptor)
        sync_folder(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def check_output(target: Path, sources: Iterable[Path], *, overwrite: bool, size: int) -> None:
    """Raise where a file cannot be written: it is one of the sources, exists, has no folder, or does not fit the disk."""
    outputs.check_output(target, sources, force=overwrite)
    check_room(target, size)


def check_room(target: Path, size: int) -> None:
    """Raise UnreadableFile where so many bytes do not fit the disk."""
    free = shutil.disk_usage(target.parent).free
    if size > free:
        raise UnreadableFile(
            f"{target}: {size:,} bytes are needed and {free:,} are free in {target.parent}",
            hint="free some space, or write to another disk",
        )


def unwritable(target: Path, error: OSError) -> ModelsmithError:
    """Return what the system refused as an error for the user."""
    full = error.errno in _FULL
    hint = "free some space, or write to another disk" if full else "write to another folder, or check its permissions"
    return UnreadableFile(f"{target} cannot be written: {error.strerror or error}", hint=hint)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def point(place: Path, target: str | Path) -> None:
    """Make ``place`` a symbolic link to ``target``, in one step where something stands there. Raises OSError where there are no links."""
    with unfinished_folder(place) as folder:
        link = folder / place.name
        link.symlink_to(target)
        link.replace(place)


def write(
    path: Path,
    chunks: Iterable[bytes | memoryview],
    *,
    keeps: bool = True,
    mode: int = 0o644,
    hint: str = "name another place with --modelfile",
) -> Path | None:
    """Write a file whole or not at all, with this ``mode``; where ``path`` is a link, the file that it leads to.

    Returns the place where a file that it replaced is kept, None where there was none (or ``keeps`` is False).
    """
    target = path.resolve()
    try:
        descriptor, unfinished = start_unfinished(target)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                unfinished.chmod(mode)
                kept = keep(target, unfinished) if keeps else None
                unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", hint=hint) from error
    return kept
