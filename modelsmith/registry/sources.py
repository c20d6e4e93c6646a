"""Where models come from: a registry and its mirrors, a store's folder, a folder with one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelsmith.errors import BlobNotFound, DigestMismatch, ModelsmithError, ServerError, StoreError
from modelsmith.manifest import MAX_MANIFEST_BYTES, Layer, Manifest
from modelsmith.registry.documents import Document, check_is_model, read_document
from modelsmith.registry.download import Budget, download
from modelsmith.store.blobs import Blobs, BlobState, known_digests
from modelsmith.store.layout import read_small

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.progress import ProgressSink
    from modelsmith.registry.client import Registry
    from modelsmith.registry.reference import Reference
    from modelsmith.store.folder import Folder
    from modelsmith.store.local.local import LocalStore

MANIFEST = "manifest.json"


class Source(Protocol):
    """Where a model comes from."""

    def manifest(self) -> Manifest:
        """Read its manifest; raises ModelNotFound, StoreError."""

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Return a file with the blob: where it is, or in ``folder``, verified, after it was fetched there."""


class RegistrySource:
    """A model in a registry, perhaps behind mirrors, which are asked first; ``budget`` counts what comes."""

    def __init__(self, registries: tuple[Registry, ...], reference: Reference, budget: Budget) -> None:
        self.registries = registries
        self.reference = reference
        self._budget = budget
        self.document: Document | None = None

    def manifest(self) -> Manifest:
        """Fetch and check it; a mirror that fails is passed over, the registry itself has the last word."""
        for registry in self.registries[:-1]:
            try:
                return self._manifest(registry)
            except ModelsmithError:
                continue
        return self._manifest(self.registries[-1])

    def _manifest(self, registry: Registry) -> Manifest:
        document = registry.manifest(self.reference)
        manifest = read_document(document.data, str(self.reference))
        check_is_model(manifest, str(self.reference))
        self.document = document
        return manifest

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Download it."""
        for registry in self.registries[:-1]:
            try:
                return self._download(registry, layer, folder, progress)
            except (ServerError, BlobNotFound, DigestMismatch):
                if self._budget.stop.is_set():
                    raise
        return self._download(self.registries[-1], layer, folder, progress)

    def _download(self, registry: Registry, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        return download(registry, self.reference.repository, layer, folder, self._budget, progress)


class StoreSource:
    """A model in a store's folder."""

    def __init__(self, store: LocalStore, name: ModelName) -> None:
        self._layout = store.layout
        self._name = name

    def manifest(self) -> Manifest:
        """Read it."""
        return self._layout.manifest(self._name)

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Return the blob's file; raises BlobNotFound, StoreError where it is damaged."""
        del folder
        state = Blobs(self._layout, known_digests(self._layout)).state(layer.digest, layer.size, progress)
        path = self._layout.blob_path(layer.digest)
        if state is BlobState.MISSING:
            raise BlobNotFound(f"{path} is missing", hint="pull or create the model again")
        if state is not BlobState.WHOLE:
            raise StoreError(f"{path} is {state.value}", hint="modelsmith store fsck; pull or create the model again")
        return path


class FolderSource:
    """A model in a folder of its own: ``manifest.json`` and files that are named by their digests."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def manifest(self) -> Manifest:
        """Read it; raises StoreError."""
        path = self._path / MANIFEST
        try:
            data = read_small(path, MAX_MANIFEST_BYTES)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be read: {error.strerror}", hint=f"dir:{self._path} is no folder with a model"
            ) from error
        manifest = read_document(data, f"dir:{self._path}")
        check_is_model(manifest, f"dir:{self._path}")
        return manifest

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Return the file; whoever takes it hashes it."""
        del folder, progress
        path = self._path / layer.digest.hex
        if not path.is_file():
            raise BlobNotFound(f"{path} is missing", hint="the folder is not complete")
        return path
