"""An open folder: what is done in it happens there, whatever becomes of the path, and never through a link in it.

Names are used relative to the folder's descriptor where the system can (``openat`` and its kin); elsewhere by path, links being
looked for before.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from modelsmith.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
_CLOSE = getattr(os, "O_CLOEXEC", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
FILE_MODE, FOLDER_MODE = 0o644, 0o755


class Folder:
    """A folder held open. Every name is a single part of a path; a link of that name raises StoreError where it would be followed."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: Path) -> None:
        """Open the folder at ``path``, which itself may be a link; raises OSError."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | _FOLDER | _CLOSE) if _BY_DESCRIPTOR else None

    @classmethod
    def made(cls, path: Path) -> Self:
        """Open the folder at ``path`` after it and its parents were made where they are missing."""
        missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
        for folder in reversed(missing):
            folder.mkdir(FOLDER_MODE, exist_ok=True)
            if os.geteuid() == 0:
                parent = folder.parent.stat()
                os.chown(folder, parent.st_uid, parent.st_gid)
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def child(self, name: str, *, make: bool = False) -> Folder:
        """Open a folder in this one, made where it is missing if ``make`` says so; raises StoreError where it is a link."""
        if make:
            with suppress(FileExistsError), self._naming(name):
                os.mkdir(self._place(name), FOLDER_MODE, dir_fd=self._descriptor)
                self.adopt(name)
        self._refuse_link(name)
        found = object.__new__(Folder)
        found.path = self.path / name
        found._descriptor = None
        if self._descriptor is not None:
            with self._naming(name):
                found._descriptor = os.open(name, os.O_RDONLY | _FOLDER | _NO_LINK | _CLOSE, dir_fd=self._descriptor)
        return found

    def status(self, name: str | None = None) -> os.stat_result:
        """Return the state of the folder, or of what has this name in it: of a link itself, not of what it leads to."""
        if name is None:
            return os.fstat(self._descriptor) if self._descriptor is not None else self.path.stat()
        with self._naming(name):
            return os.stat(self._place(name), dir_fd=self._descriptor, follow_symlinks=False)

    def exists(self, name: str) -> bool:
        """Whether there is anything of this name, a link that leads nowhere included."""
        try:
            self.status(name)
        except FileNotFoundError:
            return False
        return True

    def open(self, name: str, flags: int) -> int:
        """Open a file of the folder; raises StoreError where it is a link, OSError."""
        self._refuse_link(name)
        with self._naming(name):
            return os.open(self._place(name), flags | _NO_LINK | _CLOSE | _AT_ONCE, FILE_MODE, dir_fd=self._descriptor)

    def own(self, name: str, flags: int) -> int:
        """Open a file to write into it, made where it is missing; a name that another file elsewhere has too is taken from that one.

        Such a hard link is what a killed copy between stores, a backup (``cp -al``) or an unpacked archive leaves: its bytes
        are not ours to change. What was in it is not in the new file.
        """
        descriptor = self.open(name, flags | os.O_CREAT)
        if os.fstat(descriptor).st_nlink <= 1:
            return descriptor
        os.close(descriptor)
        return self.new(name, flags)

    def new(self, name: str, flags: int = os.O_WRONLY) -> int:
        """Open a new file to write into it; a name that is in the way is removed, and what it stood for stays."""
        if self.exists(name):
            self.remove(name)
        return self.open(name, flags | os.O_CREAT | os.O_EXCL)

    def names(self) -> list[str]:
        """Return the names of everything in the folder."""
        with self._naming("."):
            return sorted(os.listdir(self.path if self._descriptor is None else self._descriptor))  # noqa: PTH208 - of a descriptor

    def rename(self, name: str, target: Folder, new: str) -> None:
        """Give a file its place in a folder; what is there, a link too, is replaced."""
        with target._naming(new):
            os.replace(
                self._place(name), target._place(new), src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor
            )

    def link_from(self, source: Path, name: str) -> None:
        """Give the file at ``source`` a second name in this folder."""
        with self._naming(name):
            os.link(source, self._place(name), dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, of a link only the link; nothing happens where there is none."""
        with suppress(FileNotFoundError), self._naming(name):
            os.unlink(self._place(name), dir_fd=self._descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder."""
        with self._naming(name):
            os.rmdir(self._place(name), dir_fd=self._descriptor)

    def touch(self, name: str) -> None:
        """Set the times of a file to now."""
        with self._naming(name):
            os.utime(self._place(name), dir_fd=self._descriptor, follow_symlinks=not _BY_DESCRIPTOR)

    def adopt(self, name: str) -> None:
        """Give what root makes to the owner of this folder; the service's own user must be able to go on with it."""
        if os.geteuid() == 0:
            owner = self.status()
            os.chown(
                self._place(name),
                owner.st_uid,
                owner.st_gid,
                dir_fd=self._descriptor,
                follow_symlinks=not _BY_DESCRIPTOR,
            )

    def flush(self) -> None:
        """Let the names reach the disk; some file systems do not do that for folders."""
        if self._descriptor is None:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.EBADF, errno.ENOTSUP}:
                raise

    def _place(self, name: str) -> str | Path:
        return name if self._descriptor is not None else self.path / name

    def _refuse_link(self, name: str) -> None:
        try:
            is_link = stat.S_ISLNK(self.status(name).st_mode)
        except OSError:
            return
        if is_link:
            raise link_refused(self.path / name)

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Raise OSErrors with the whole path in them; a link that appeared since it was looked for is one too."""
        try:
            yield
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise link_refused(self.path / name) from error
            raise OSError(error.errno, error.strerror, os.fspath(self.path / name)) from error


def link_refused(path: Path) -> StoreError:
    """Return the error for a link where modelsmith would have to write."""
    return StoreError(
        f"{path} is a link, and modelsmith writes nothing through links in a store",
        hint="remove the link; only the store's folder itself, blobs and manifests may be links",
    )
