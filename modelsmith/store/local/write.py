"""Changing a store's folder: every step leaves the old model or the new one, whenever the process ends.

Files grow in ``.modelsmith/tmp`` (invisible to Ollama), are flushed, and then get their name in one step: blobs first, the
manifest last. Sources: Ollama ``manifest/layer.go`` (NewLayer, touchLayer), ``manifest/manifest.go``.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from modelsmith.errors import DigestMismatch, ModelsmithError, StoreError
from modelsmith.files import stream
from modelsmith.manifest import Digest
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.store.blobs import Blobs, BlobState, known_digests
from modelsmith.store.folder import FILE_MODE, Folder
from modelsmith.store.journal import Journal
from modelsmith.store.local.lock import locked
from modelsmith.store.references import references
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout
    from modelsmith.weights.blobs.blob import SegmentBlob

_GROWING = "modelsmith-"
_NAME_PARTS = ("host", "namespace", "model")
_MEBIBYTE = 1 << 20
_YOUNG_SECONDS = 600
"""Ollama keeps what is younger than an hour (``PruneLayers``): a blob of ten minutes needs no younger time."""
_READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@contextmanager
def writing(layout: Layout, progress: ProgressSink = silent) -> Iterator[Writer]:
    """Hold the store's lock and hand out a Writer; errors of the system come out as StoreErrors that say what to do.

    Blobs that nobody refers to in the end are removed: those of this run, and those of runs that were killed before it.
    """
    left: list[Path] = []
    try:
        with ExitStack() as stack:
            root = stack.enter_context(Folder.made(layout.folder))
            private = stack.enter_context(root.child(layout.private.name, make=True))
            stack.enter_context(locked(private, "lock", os.fspath(layout.folder), progress))
            temporaries = stack.enter_context(private.child(layout.temporaries.name, make=True))
            blobs = stack.enter_context(Folder.made(layout.blobs))
            manifests = stack.enter_context(Folder.made(layout.manifests))
            writer = Writer(layout, private, temporaries, blobs, manifests, progress)
            try:
                yield writer
            except (ModelsmithError, OSError):
                left += writer.settle()
                raise
            writer.settle()
    except OSError as error:
        raise _store_error(layout, error, left) from error


class Writer:
    """What may be done to a store while its lock is held."""

    def __init__(
        self,
        layout: Layout,
        private: Folder,
        temporaries: Folder,
        blobs: Folder,
        manifests: Folder,
        progress: ProgressSink = silent,
    ) -> None:
        self._layout = layout
        self._temporaries, self._blobs, self._manifests = temporaries, blobs, manifests
        self._journal = Journal(private)
        self._after_a_kill = bool(self._journal.read())
        self._seen = Blobs(layout, known_digests(layout))
        self._progress = progress
        self._written_for: frozenset[Digest] = frozenset()
        self._named: set[Digest] = set()
        self.created: list[Digest] = []
        for folder in (manifests, blobs, temporaries):
            # whoever wrote these is dead: writers hold the lock
            for left in folder.names():
                if left.startswith(_GROWING):
                    with suppress(OSError):
                        folder.remove(left)

    def path_of(self, digest: Digest) -> Path:
        """Return where a blob is or would be."""
        return self._layout.blob_path(digest)

    def check_space(self, size: int) -> None:
        """Raise StoreError when ``size`` bytes do not fit on the store's disk."""
        free = shutil.disk_usage(self._layout.blobs).free
        if size > free:
            raise StoreError(
                f"{size / _MEBIBYTE:.0f} MiB are needed and {free / _MEBIBYTE:.0f} MiB are free in {self._layout.folder}",
                hint="free some space, or name a store on another disk",
            )

    def has(self, digest: Digest, size: int) -> bool:
        """Whether a blob is stored whole, by its bytes; it is then protected from pruning for an hour. Tells once of a wrong one."""
        state = self._seen.state(digest, size, self._progress)
        if state is BlobState.WHOLE:
            self._touch(digest)
        elif state is not BlobState.MISSING and digest not in self._named:
            self._named.add(digest)
            self._progress(Progress(f"{self.path_of(digest)} is {state.value}", is_notice=True))
        return state is BlobState.WHOLE

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
        place, temporary = self._growing(self._blobs)
        try:
            place.link_from(blob.path.resolve(), temporary)
        except OSError:
            return False
        try:
            blob.check_unchanged(place.status(temporary))
            descriptor = place.open(temporary, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._publish(place, temporary, digest)
        finally:
            place.remove(temporary)  # renaming does nothing when both names are one file already
        return True

    def take(self, place: Folder, digest: Digest) -> None:
        """Move a blob into the store that lies complete and verified in ``place``, under its file name."""
        name = digest.file_name
        descriptor = place.open(name, os.O_RDWR)
        try:
            os.fchmod(descriptor, FILE_MODE)
            place.adopt(name)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            self._publish(place, name, digest)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            found = self.put_blob(FileBlob(place.path / name), self._progress, "copying")
            if found != digest:
                raise DigestMismatch(
                    f"{place.path / name} was changed meanwhile", hint="run the command again"
                ) from error
            place.remove(name)

    def share_blob(self, blob: FileBlob, digest: Digest) -> bool:
        """Make the blob a copy that shares the blocks of a file; False where the file system cannot do that."""
        shared = True

        def fill(descriptor: int) -> None:
            nonlocal shared
            shared = stream.clone(blob.segments, descriptor)

        place, temporary = self._written(self._blobs, fill)
        try:
            if shared:
                blob.check_unchanged(blob.path.stat())
                self._publish(place, temporary, digest)
        finally:
            place.remove(temporary)
        return shared

    def put_manifest(self, name: ModelName, data: bytes, blobs: Iterable[Digest] = ()) -> None:
        """Publish a model of these blobs: its manifest appears whole, in one step."""
        self._refuse_newer(name)
        *parts, tag = name.path.split("/")
        with ExitStack() as stack:
            folder = self._manifests
            for part in parts:
                folder = stack.enter_context(folder.child(part, make=True))
            place, temporary = self._written(self._manifests, lambda descriptor: stream.write_all(descriptor, data))
            try:
                place.rename(temporary, folder, tag)
            except BaseException:
                place.remove(temporary)
                raise
            folder.flush()
        self._written_for = frozenset(blobs)

    def drop_manifest(self, name: ModelName) -> None:
        """Remove a model's manifest and the folders that become empty."""
        self._refuse_newer(name)
        *parts, tag = name.path.split("/")
        with ExitStack() as stack:
            folders = [self._manifests]
            for part in parts:
                folders.append(stack.enter_context(folders[-1].child(part)))
            folders[-1].remove(tag)
            folders[-1].flush()
            with suppress(OSError):
                for folder, part in zip(reversed(folders[:-1]), reversed(parts), strict=True):
                    folder.remove_folder(part)

    def _refuse_newer(self, name: ModelName) -> None:
        """Raise where a newer Ollama keeps the model in its own way, and would go on doing so."""
        if (path := self._layout.newer(name)) is not None:
            raise StoreError(
                f"{path} is how a newer Ollama keeps {name.short}; modelsmith reads that and does not write it",
                hint="let that Ollama do it: start it and name it with --store http://127.0.0.1:11434",
            )

    def note(self, digests: Iterable[Digest]) -> None:
        """Remember, beyond the end of this process, blobs that may belong to nobody soon."""
        self._journal.add(digests)

    def settle(self) -> list[Path]:
        """Remove the noted blobs that no model refers to, none at all when one manifest cannot be read; return what stays."""
        noted = frozenset(self._journal.read()) - self._written_for
        if noted:
            known = references(self._layout)
            if known.problems:
                return [self.path_of(digest) for digest in self.created if digest in noted]
            noted = known.unused(noted)
        stays = []
        for digest in sorted(noted, key=str):
            try:
                self._blobs.remove(digest.file_name)
            except OSError:
                stays.append(digest)
        if self._after_a_kill:
            _remove_empty(self._manifests, len(_NAME_PARTS))
        with suppress(OSError):
            self._journal.keep(stays)
        return [self.path_of(digest) for digest in stays]

    def _publish_blob(self, fill: Callable[[int], Digest]) -> Digest:
        found: list[Digest] = []
        place, temporary = self._written(self._blobs, lambda descriptor: found.append(fill(descriptor)))
        try:
            self._publish(place, temporary, found[0])
        except BaseException:
            place.remove(temporary)
            raise
        return found[0]

    def _publish(self, place: Folder, temporary: str, digest: Digest) -> None:
        self.note([digest])
        place.rename(temporary, self._blobs, digest.file_name)
        self._blobs.flush()
        self.created.append(digest)
        self._seen.written(digest)

    def _growing(self, folder: Folder) -> tuple[Folder, str]:
        """Return where a file can grow that will move into ``folder``: our own place, or beside it if that is another disk."""
        same_disk = self._temporaries.status().st_dev == folder.status().st_dev
        return (self._temporaries if same_disk else folder), f"{_GROWING}{os.getpid()}"

    def _written(self, folder: Folder, fill: Callable[[int], object]) -> tuple[Folder, str]:
        """Return a new file that can move into ``folder``, complete and on the disk."""
        place, name = self._growing(folder)
        try:
            descriptor = place.new(name)
            try:
                fill(descriptor)
                os.fchmod(descriptor, FILE_MODE)
                place.adopt(name)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except BaseException:
            place.remove(name)
            raise
        return place, name

    def _touch(self, digest: Digest) -> None:
        info = self._blobs.status(digest.file_name)
        if info.st_nlink > 1 or stat.S_ISLNK(info.st_mode):
            return  # also somebody's own file, whose times are not ours to change
        if time.time() - info.st_mtime < _YOUNG_SECONDS:
            return  # protected as it is; another process that reads it would take it for changed
        # not allowed on another user's blobs, which Ollama itself stumbles over; they are as good untouched
        with suppress(PermissionError):
            self._blobs.touch(digest.file_name)
            self._seen.written(digest)


def _remove_empty(folder: Folder, depth: int) -> None:
    """Remove the empty folders that a killed run left between ``manifests`` and the tags."""
    for name in folder.names() if depth else ():
        with suppress(OSError, StoreError):
            with folder.child(name) as inner:
                _remove_empty(inner, depth - 1)
            folder.remove_folder(name)


def can_link(source: Path, folder: Path) -> bool:
    """Whether a file can get a second name in ``folder`` and be a blob there: of the right owner, readable by all."""
    info, place = source.stat(), folder.stat()
    user = os.geteuid()
    owner = place.st_uid if user == 0 else user  # whom a blob that root makes belongs to, see _adopt
    return info.st_mode & _READABLE_BY_ALL == _READABLE_BY_ALL and info.st_uid == owner and info.st_dev == place.st_dev


_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "free some space, or name a store on another disk"),
    errno.EDQUOT: (
        "the quota of this user is used up",
        "free some space, or name a store on another disk",
    ),
    errno.EROFS: ("the file system is read-only", "name a store that can be written"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "name another folder"),
    errno.EEXIST: ("a part of the path is a file, not a folder", "name another folder"),
    errno.EACCES: (
        "this user may not write there",
        "run as the user that owns the store, or name another one with --store DIR",
    ),
    errno.EPERM: (
        "this user may not write there",
        "run as the user that owns the store, or name another one with --store DIR",
    ),
}


def _store_error(layout: Layout, error: OSError, left: list[Path]) -> StoreError:
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    place = error.filename2 or error.filename or layout.folder
    outcome = "the store is as it was"
    if left:
        outcome = (
            f"the models are as they were, and what this run wrote could not be removed: {', '.join(map(str, left))}"
        )
    return StoreError(f"{os.fsdecode(place)}: {reason}; {outcome}", hint=hint)
