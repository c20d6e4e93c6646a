"""Where models go to: a registry, a store's folder, a folder with one model. Blobs first, the manifest last."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Protocol, Self

from modelsmith.errors import DigestMismatch, StoreError
from modelsmith.files.locking import NoLocks, lock
from modelsmith.files.stream import copy_segments
from modelsmith.name import DEFAULT_HOST, ModelName
from modelsmith.patterns import regex
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.registry.documents import write_document
from modelsmith.registry.parts import growing, note_name
from modelsmith.registry.sources import MANIFEST
from modelsmith.registry.upload import Uploader
from modelsmith.registry.upload_ollama import OllamaUploader
from modelsmith.store.blobs import Blobs, BlobState, known_digests
from modelsmith.store.folder import Folder
from modelsmith.store.local.write import can_link
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Digest, Layer, Manifest
    from modelsmith.registry.client import Registry
    from modelsmith.registry.download import Budget
    from modelsmith.registry.reference import Reference
    from modelsmith.store.local.local import LocalStore

OLLAMA_HOSTS = frozenset((DEFAULT_HOST,))
"""Registries that redirect the parts of uploads."""
_VERSION, _VERSION_TEXT = "version", "Directory Transport Version: 1.1\n"
_PARTIAL = ".partial"
_UNFINISHED = regex(r"\.(version|manifest\.json)\.\d+")


class Sink(Protocol):
    """Where a model goes to; enter it as a context before anything else."""

    folder: Folder
    """Where blobs may grow on their way to it; there once it was entered."""

    def __enter__(self) -> Self:
        """Make ready what is written to."""

    def __exit__(self, *_: object) -> None:
        """Let go of it."""

    def has(self, layer: Layer) -> bool:
        """Whether the blob is known to be there, whole."""

    def take_over(self, layer: Layer) -> bool:
        """Whether the blob could be had without its bytes, from another place there."""

    def put(self, layer: Layer, file: Path, progress: ProgressSink) -> None:
        """Bring a blob there."""

    def finish(self, manifest: Manifest, progress: ProgressSink) -> None:
        """Publish the model, after all its blobs."""


class StoreSink:
    """A name in a store's folder."""

    def __init__(self, store: LocalStore, name: ModelName) -> None:
        self._store = store
        self._name = name
        self._arrived: set[Digest] = set()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        layout = self._store.layout
        try:
            root = self._stack.enter_context(Folder.made(layout.folder))
            private = self._stack.enter_context(root.child(layout.private.name, make=True))
            self.folder = self._stack.enter_context(private.child(layout.partial.name, make=True))
        except OSError as error:
            self._stack.close()
            raise StoreError(
                f"{layout.folder} cannot be written: {error.strerror}", hint="name another store"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def has(self, layer: Layer) -> bool:
        """Whether the store has the blob, by its bytes."""
        layout = self._store.layout
        return Blobs(layout, known_digests(layout)).state(layer.digest, layer.size) is BlobState.WHOLE

    def take_over(self, layer: Layer) -> bool:
        """There is no other place."""
        del layer
        return False

    def put(self, layer: Layer, file: Path, progress: ProgressSink) -> None:
        """Note a blob that grew here; copy one that is elsewhere."""
        if file.parent != self.folder.path:
            copy_verified(layer, file, self.folder, progress)
        self._arrived.add(layer.digest)

    def finish(self, manifest: Manifest, progress: ProgressSink) -> None:
        """Move the blobs into the store and write the manifest."""
        self._store.receive(self._name, manifest, self._arrived, self.folder, progress)
        for layer in manifest.blobs:  # those of an earlier run that was killed at this point too
            self.folder.remove(note_name(layer.digest.file_name))


class LinkingSink(StoreSink):
    """A name in a store's folder, beside the one that the blobs are in: where both are on one disk, blobs get a second name."""

    def put(self, layer: Layer, file: Path, progress: ProgressSink) -> None:
        """Link a blob, which was verified; copy it where that cannot be, or its owner or mode would have to change for it."""
        try:
            self.folder.remove(layer.digest.file_name)
            linked = can_link(file, self.folder.path)
            if linked:
                self.folder.link_from(file, layer.digest.file_name)
        except OSError:
            linked = False
        if not linked:
            super().put(layer, file, progress)
            return
        progress(Progress(f"linking {layer.digest.short}", str(layer.digest), layer.size, layer.size))
        self._arrived.add(layer.digest)


class FolderSink:
    """A folder of its own, as skopeo's ``dir:`` has it; blobs grow in ``.partial`` in it."""

    def __init__(self, path: Path, *, oci: bool = False) -> None:
        self._path = path
        self._oci = oci
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            if self._path.is_dir() and not (self._path / _VERSION).exists() and not _only_ours(self._path):
                raise StoreError(
                    f"{self._path} holds something else than a model", hint="name a new or an empty folder"
                )
            self._root = self._stack.enter_context(Folder.made(self._path))
            self._remove_left()
            self._write(_VERSION, _VERSION_TEXT.encode())
            self.folder = self._stack.enter_context(self._root.child(_PARTIAL, make=True))
        except OSError as error:
            self._stack.close()
            raise StoreError(f"{self._path} cannot be written: {error.strerror}", hint="name another folder") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def has(self, layer: Layer) -> bool:
        """Whether the blob is there, by its bytes."""
        path = self._path / layer.digest.hex
        return path.is_file() and path.stat().st_size == layer.size and FileBlob(path).digest() == layer.digest

    def take_over(self, layer: Layer) -> bool:
        """There is no other place."""
        del layer
        return False

    def put(self, layer: Layer, file: Path, progress: ProgressSink) -> None:
        """Give the blob its name."""
        if file.parent != self.folder.path:
            copy_verified(layer, file, self.folder, progress)
        self.folder.rename(layer.digest.file_name, self._root, layer.digest.hex)
        self.folder.remove(note_name(layer.digest.file_name))

    def finish(self, manifest: Manifest, progress: ProgressSink) -> None:
        """Write the manifest."""
        del progress
        self._write(MANIFEST, write_document(manifest, oci=self._oci).data)
        self._root.flush()
        for layer in manifest.blobs:  # of an earlier run that was killed before it removed them
            self.folder.remove(layer.digest.file_name)
            self.folder.remove(note_name(layer.digest.file_name))
        with suppress(OSError):  # another model's blobs, which a pull into this folder could go on with
            self._root.remove_folder(_PARTIAL)

    def _remove_left(self) -> None:
        """Remove the unfinished texts of runs that were killed."""
        for name in filter(_UNFINISHED.fullmatch, self._root.names()):
            descriptor = self._root.open(name, os.O_RDWR)
            try:
                with suppress(NoLocks):  # nobody can know whether its process lives
                    if lock(descriptor, waits=False):
                        self._root.remove(name)
            finally:
                os.close(descriptor)

    def _write(self, name: str, data: bytes) -> None:
        temporary = f".{name}.{os.getpid()}"
        descriptor = self._root.new(temporary)
        with os.fdopen(descriptor, "wb") as file:
            with suppress(NoLocks):
                lock(descriptor, waits=False)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        self._root.rename(temporary, self._root, name)


def _only_ours(folder: Path) -> bool:
    """Say whether a folder is empty, or holds only what a run that was killed at its beginning left."""
    return all(path.name == _PARTIAL or _UNFINISHED.fullmatch(path.name) for path in folder.iterdir())


class RegistrySink:
    """A tag in a registry. ``mount_from`` is a repository there that may have the blobs."""

    def __init__(
        self,
        registry: Registry,
        reference: Reference,
        budget: Budget,
        folder: Path,
        *,
        oci: bool = False,
        mount_from: str = "",
    ) -> None:
        self._registry = registry
        self._reference = reference
        self._budget = budget
        self._folder_path = folder
        self._oci = oci
        self._mount_from = mount_from
        self._sessions: dict[Digest, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.folder = self._stack.enter_context(Folder.made(self._folder_path))
        except OSError as error:
            raise StoreError(f"{self._folder_path} cannot be written: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def has(self, layer: Layer) -> bool:
        """Ask the registry."""
        return self._registry.has_blob(self._reference.repository, layer.digest, write=True)

    def take_over(self, layer: Layer) -> bool:
        """Have it mounted from the repository that it came from."""
        origin = self._mount_from or _origin(layer)
        if not origin or origin == self._reference.repository:
            return False
        session = self._uploader(silent).mount(layer, origin)
        if session:
            self._sessions[layer.digest] = session
        return not session

    def put(self, layer: Layer, file: Path, progress: ProgressSink) -> None:
        """Send it; a file that was only fetched for this is removed then."""
        self._uploader(progress).upload(layer, file, self._sessions.pop(layer.digest, ""))
        if file.parent == self.folder.path:
            self.folder.remove(file.name)
            self.folder.remove(note_name(file.name))

    def _uploader(self, progress: ProgressSink) -> Uploader:
        kind = OllamaUploader if self._registry.host in OLLAMA_HOSTS else Uploader
        return kind(self._registry, self._reference.repository, self.folder, self._budget, progress)

    def finish(self, manifest: Manifest, progress: ProgressSink) -> None:
        """Send the manifest, unless exactly this one is there under this tag."""
        del progress
        document = write_document(manifest, oci=self._oci)
        if not self._registry.has_manifest(self._reference, document):
            self._registry.put_manifest(self._reference, document)


def _origin(layer: Layer) -> str:
    """Return the repository that a layer says it was taken from, "" where that is none."""
    name = ModelName.parse(layer.source) if layer.source else None
    return f"{name.namespace}/{name.model}" if name is not None and name.is_valid else ""


def copy_verified(layer: Layer, file: Path, folder: Folder, progress: ProgressSink) -> None:
    """Copy a file into ``folder`` under its blob's name; raises DigestMismatch, and leaves nothing, where it is not that blob."""
    with growing(folder, layer.digest, layer.size) as target:
        os.ftruncate(target.descriptor, 0)
        found = copy_segments(FileBlob(file).segments, target.descriptor, progress, f"copying {layer.digest.short}")
        if found != layer.digest:
            target.discard()
            raise DigestMismatch(
                f"{file} has the digest {found} instead of {layer.digest}", hint="it is damaged; get it again"
            )
        os.fsync(target.descriptor)


def check_space(folder: Path, size: int) -> None:
    """Raise StoreError where so many bytes do not fit the disk."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise StoreError(
            f"{size:,} bytes are needed and {free:,} are free in {folder}",
            hint="free some space, or name another place",
        )
