"""Changing a store's folder: every step leaves the old model or the new one, whenever the process ends.

Files grow in ``.modelsmith/tmp`` (invisible to Ollama), are flushed, and then get their name in one step: blobs first, the
manifest last. Sources: Ollama ``manifest/layer.go`` (NewLayer, touchLayer), ``manifest/manifest.go``.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from modelsmith.errors import StoreError
from modelsmith.manifest import Digest
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.lock import locked
from modelsmith.weights import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout
    from modelsmith.weights.files import FileBlob, SegmentBlob

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755
_GROWING = "modelsmith-"
_MEBIBYTE = 1 << 20
_READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@contextmanager
def writing(layout: Layout, progress: ProgressSink = silent) -> Iterator[Writer]:
    """Hold the store's lock and hand out a Writer; errors of the system come out as StoreErrors that say what to do."""
    try:
        for ours in (layout.private, layout.temporaries):
            if ours.is_symlink():  # made by somebody else, to have us write and clean up elsewhere
                raise StoreError(f"{ours} is a link, and modelsmith makes a folder there", hint="remove the link")
        _make_folder(layout.private)
        lock = layout.private / "lock"
        if not lock.exists():
            lock.touch(_FILE_MODE)
            _adopt(lock)
        with locked(lock, progress):
            yield Writer(layout)
    except OSError as error:
        raise _store_error(layout, error) from error


class Writer:
    """What may be done to a store while its lock is held."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.created: list[Digest] = []
        for folder in (layout.manifests, layout.blobs, layout.temporaries):
            _make_folder(folder)
            # whoever wrote these is dead: writers hold the lock
            for left in folder.glob(f"{_GROWING}*"):
                with suppress(OSError):
                    left.unlink()

    def check_space(self, size: int) -> None:
        """Raise StoreError when ``size`` bytes do not fit on the store's disk."""
        free = shutil.disk_usage(self._layout.blobs).free
        if size > free:
            raise StoreError(
                f"{size / _MEBIBYTE:.0f} MiB are needed and {free / _MEBIBYTE:.0f} MiB are free in {self._layout.folder}",
                hint="free some space, or name a store on another disk with --store",
            )

    def has(self, digest: Digest, size: int) -> bool:
        """Whether a blob is stored whole, as far as its size tells; it is then protected from pruning for an hour."""
        path = self._layout.blob_path(digest)
        try:
            info = path.stat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(info.st_mode) or info.st_size != size:
            return False
        self._touch(path, info)
        return True

    def put_bytes(self, data: bytes) -> Digest:
        """Store a small text."""
        digest = Digest.of(data)
        if not self.has(digest, len(data)):

            def fill(descriptor: int) -> Digest:
                stream.write_all(descriptor, data)
                return digest

            self._publish_blob(fill)
        return digest

    def put_blob(self, blob: SegmentBlob, progress: ProgressSink, status: str) -> Digest:
        """Store bytes of files, or bytes that are made of them on the way."""
        return self._publish_blob(lambda descriptor: blob.write_to(descriptor, progress, status))

    def can_link(self, blob: FileBlob) -> bool:
        """Whether the file of a blob could get a second name in the store."""
        return can_link(blob.path, self._layout.blobs)

    def link_blob(self, blob: FileBlob, digest: Digest) -> bool:
        """Give the file of a blob a second name in the store; False where the file system cannot do that."""
        temporary = self._growing(self._layout.blobs)
        try:
            os.link(blob.path.resolve(), temporary)
        except OSError:
            return False
        try:
            blob.check_unchanged(temporary.stat())
            _flush(temporary)
            temporary.replace(self._layout.blob_path(digest))
        finally:
            temporary.unlink(missing_ok=True)  # replace() does nothing when both names are one file already
        _flush(self._layout.blobs)
        self.created.append(digest)
        return True

    def put_manifest(self, name: ModelName, data: bytes) -> None:
        """Publish a model: its manifest appears whole, in one step."""
        path = self._layout.manifest_path(name)
        _make_folder(path.parent)
        temporary = self._written(self._layout.manifests, lambda descriptor: stream.write_all(descriptor, data))
        temporary.replace(path)
        _flush(path.parent)

    def drop_manifest(self, name: ModelName) -> None:
        """Remove a model's manifest and the folders that become empty."""
        path = self._layout.manifest_path(name)
        path.unlink(missing_ok=True)
        _flush(path.parent)
        with suppress(OSError):
            for folder in path.parents:
                if folder == self._layout.manifests:
                    break
                folder.rmdir()

    def prune(self, digests: Iterator[Digest] | list[Digest]) -> None:
        """Remove those of the blobs that no model refers to; none at all when one manifest cannot be read."""
        used = self._layout.in_use()
        if used is None:
            return
        for digest in digests:
            if digest not in used:
                with suppress(OSError):
                    self._layout.blob_path(digest).unlink()

    def _publish_blob(self, fill: Callable[[int], Digest]) -> Digest:
        found: list[Digest] = []
        temporary = self._written(self._layout.blobs, lambda descriptor: found.append(fill(descriptor)))
        temporary.replace(self._layout.blob_path(found[0]))
        _flush(self._layout.blobs)
        self.created.append(found[0])
        return found[0]

    def _growing(self, folder: Path) -> Path:
        """Return a name for a file that will move into ``folder``: in our own place, or beside it if that is another disk."""
        ours = self._layout.temporaries
        same_disk = ours.stat().st_dev == folder.stat().st_dev
        return (ours if same_disk else folder) / f"{_GROWING}{os.getpid()}"

    def _written(self, folder: Path, fill: Callable[[int], object]) -> Path:
        """Return a new file that can move into ``folder``, complete and on the disk."""
        path = self._growing(folder)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
            try:
                fill(descriptor)
                os.fchmod(descriptor, _FILE_MODE)
                _adopt(path)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _touch(self, path: Path, info: os.stat_result) -> None:
        if info.st_nlink > 1:
            return  # also somebody's own file, whose times are not ours to change
        # not allowed on another user's blobs, which Ollama itself stumbles over; they are as good untouched
        with suppress(PermissionError):
            os.utime(path)


def can_link(source: Path, folder: Path) -> bool:
    """Whether a file can get a second name in ``folder`` and be a blob there: of the right owner, readable by all."""
    info, place = source.stat(), folder.stat()
    user = os.geteuid()
    owner = place.st_uid if user == 0 else user  # whom a blob that root makes belongs to, see _adopt
    return info.st_mode & _READABLE_BY_ALL == _READABLE_BY_ALL and info.st_uid == owner and info.st_dev == place.st_dev


def _make_folder(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(_FOLDER_MODE, exist_ok=True)
        _adopt(folder)


def _adopt(path: Path) -> None:
    """Give what root makes to the owner of the store's folder; the service's own user must be able to go on with it."""
    if os.geteuid() == 0:
        parent = path.parent.stat()
        os.chown(path, parent.st_uid, parent.st_gid)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some file systems do not flush folders
        if error.errno not in {errno.EINVAL, errno.EBADF, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "free some space, or name a store on another disk with --store"),
    errno.EDQUOT: (
        "the quota of this user is used up",
        "free some space, or name a store on another disk with --store",
    ),
    errno.EROFS: ("the file system is read-only", "name a store that can be written with --store"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "name a folder with --store"),
    errno.EEXIST: ("a part of the path is a file, not a folder", "name a folder with --store"),
    errno.EACCES: (
        "this user may not write there",
        "run as the user that owns the store, or name another one with --store",
    ),
    errno.EPERM: (
        "this user may not write there",
        "run as the user that owns the store, or name another one with --store",
    ),
}


def _store_error(layout: Layout, error: OSError) -> StoreError:
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    place = error.filename2 or error.filename or layout.folder
    return StoreError(f"{os.fsdecode(place)}: {reason}; the store is as it was", hint=hint)
