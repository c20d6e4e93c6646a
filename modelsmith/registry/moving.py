"""Pull, push and copy: names and places in, a finished transfer out. The functions behind the commands and for other code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.files.cache import cache_folder
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.registry.access import Access, Session
from modelsmith.registry.download import Budget
from modelsmith.registry.reference import Folder, Place, Reference, parse_place
from modelsmith.registry.sinks import FolderSink, LinkingSink, RegistrySink, Sink, StoreSink
from modelsmith.registry.sources import FolderSource, RegistrySource, Source, StoreSource
from modelsmith.registry.transfer import Moved, transfer
from modelsmith.store.blobs import Blobs, BlobState, known_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelsmith.manifest import Layer, Manifest
    from modelsmith.store.local.local import LocalStore


@dataclass(frozen=True, slots=True)
class Pending:
    """What a transfer would do: the blobs that are missing and those that are there; ``urls`` by digest, if they were asked for."""

    manifest: Manifest
    missing: tuple[Layer, ...]
    there: tuple[Layer, ...]
    urls: Mapping[str, str]


class Mover:
    """Moves models with one set of connections. Use it in a ``with``."""

    def __init__(self, access: Access | None = None, progress: ProgressSink = silent) -> None:
        self._session = Session(access)
        self._progress = progress
        access = self._session.access
        self._budget = Budget(access.connections, access.limits)

    def __enter__(self) -> Mover:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def session(self) -> Session:
        """The registries that are talked to."""
        return self._session

    def pull(self, source: Reference | Folder, store: LocalStore, name: ModelName) -> Moved:
        """Bring a model into a store's folder under a name."""
        return self._move(self.source(source), StoreSink(store, name))

    def push(self, store: LocalStore, name: ModelName, target: Reference | Folder, *, oci: bool = False) -> Moved:
        """Send a model of a store's folder to a registry or a folder."""
        return self._move(StoreSource(store, name), self._sink(target, oci=oci))

    def load(self, source: Source, store: LocalStore, name: ModelName) -> Moved:
        """Bring a model from anything that it can be read from into a store's folder."""
        return self._move(source, StoreSink(store, name))

    def send(self, source: Source, target: Reference, *, oci: bool = False) -> Moved:
        """Send a model from anything that it can be read from to a registry."""
        return self._move(source, self._sink(target, oci=oci))

    def link(self, store: LocalStore, name: ModelName, target: LocalStore) -> Moved:
        """Bring a model of a store's folder into another's; on one disk its blobs are linked, and no bytes are written."""
        return self._move(StoreSource(store, name), LinkingSink(target, name))

    def copy(self, source: Reference | Folder, target: Reference | Folder, *, oci: bool = False) -> Moved:
        """Bring a model from one place to another; within one registry its blobs are mounted, not moved."""
        same = isinstance(source, Reference) and isinstance(target, Reference) and source.host == target.host
        mount = source.repository if same and isinstance(source, Reference) else ""
        return self._move(self.source(source), self._sink(target, oci=oci, mount_from=mount))

    def pending(
        self, source: Reference | Folder, store: LocalStore, name: ModelName, *, with_urls: bool = False
    ) -> Pending:
        """Say what ``pull`` would do. Changes nothing."""
        del name
        layout = store.layout
        blobs = Blobs(layout, known_digests(layout))
        reader = self.source(source)
        found = self._pending(
            reader, lambda layer: blobs.state(layer.digest, layer.size, hashes=False) is BlobState.WHOLE
        )
        if not with_urls:
            return found
        if not isinstance(reader, RegistrySource):
            raise UsageError(f"{source} has no URLs")
        registry, repository = reader.registries[0], reader.reference.repository
        urls = {str(layer.digest): registry.blob_url(repository, layer.digest) for layer in found.missing}
        return replace(found, urls=urls)

    def pending_push(self, store: LocalStore, name: ModelName, target: Reference | Folder) -> Pending:
        """Say what ``push`` would do. Changes nothing."""
        return self._pending(StoreSource(store, name), self._has(target))

    def pending_copy(self, source: Reference | Folder, target: Reference | Folder) -> Pending:
        """Say what ``copy`` would do. Changes nothing."""
        return self._pending(self.source(source), self._has(target))

    def _pending(self, source: Source, has: Callable[[Layer], bool]) -> Pending:
        manifest = source.manifest()
        there = {layer: has(layer) for layer in manifest.blobs}
        missing = tuple(layer for layer, is_there in there.items() if not is_there)
        return Pending(manifest, missing, tuple(layer for layer, is_there in there.items() if is_there), {})

    def _has(self, target: Reference | Folder) -> Callable[[Layer], bool]:
        if isinstance(target, Folder):
            return lambda layer: (target.path / layer.digest.hex).is_file()
        registry = self._session.registry(target.host)
        return lambda layer: registry.has_blob(target.repository, layer.digest, write=True)

    def source(self, place: Reference | Folder) -> Source:
        """Return what a place is read by."""
        if isinstance(place, Folder):
            return FolderSource(place.path)
        mirrors = tuple(map(self._session.mirror, self._session.access.mirrors))
        return RegistrySource((*mirrors, self._session.registry(place.host)), place, self._budget)

    def _sink(self, place: Reference | Folder, *, oci: bool, mount_from: str = "") -> Sink:
        if isinstance(place, Folder):
            return FolderSink(place.path, oci=oci)
        if place.digest is not None:
            raise UsageError(f"{place} names a digest, and what is pushed gets a tag", hint="leave the @sha256:… out")
        registry = self._session.registry(place.host)
        return RegistrySink(registry, place, self._budget, _transfers(), oci=oci, mount_from=mount_from)

    def _move(self, source: Source, sink: Sink) -> Moved:
        return transfer(source, sink, self._budget, self._session.wire, self._progress)


def remote(place: Place) -> Reference | Folder:
    """Return where a place is when it is none in a store: a name means its registry, as for Ollama."""
    return Reference.of_name(place) if isinstance(place, ModelName) else place


def fetch_model(
    store: LocalStore,
    source: str,
    name: ModelName | None = None,
    *,
    access: Access | None = None,
    progress: ProgressSink = silent,
) -> Moved:
    """Fetch a model into a store's folder: ``source`` is a name, ``oci://…`` or ``dir:…``. For other commands."""
    place = remote(parse_place(source))
    if name is None:
        if isinstance(place, Folder):
            raise UsageError(f"{place} has no name", hint="say which one it gets here")
        name = place.model_name()
    with Mover(access, progress) as mover:
        return mover.pull(place, store, name)


def _transfers() -> Path:
    """Return the folder for what is under way to registries."""
    return cache_folder() / "transfers"
