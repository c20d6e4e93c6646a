"""A model in a registry (``oci://host/namespace/name:tag``) as a base.

It is made from as Ollama makes one from a model that it has to pull first: by its name, host included. Until it is in the store,
a stand-in tells what it is: its manifest, its small blobs, and of its weights the header, at the size that they have.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.errors import DigestMismatch, ModelNotFound, Unsupported
from modelsmith.files.cache import cache_folder
from modelsmith.files.replacing import replacing
from modelsmith.manifest import MODEL, PROJECTOR, Digest
from modelsmith.models.base import Base, Download
from modelsmith.models.inherited import inherited_from
from modelsmith.progress import ProgressSink, silent
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover, fetch_model
from modelsmith.registry.reference import Reference
from modelsmith.registry.sources import RegistrySource
from modelsmith.registry.through_server import pull_into_server
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.gguf.read.reader import scan
from modelsmith.weights.gguf.read.remote import RemoteSource

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Layer, Manifest
    from modelsmith.name import ModelName
    from modelsmith.registry.client import Registry
    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel

_SMALL = 1 << 20


def _access(reference: Reference) -> Access:
    """Return how a registry is reached: with this user's login, and without TLS where it is on this machine, as docker does."""
    host = reference.host.rpartition(":")[0] or reference.host
    return Access(insecure=host == "localhost" or host.startswith("127."))


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that a model of a registry is. Raises ModelNotFound, ServerError, UsageError for what is no reference."""
    reference = Reference.parse(spec)
    name = reference.model_name()
    modelfile = Modelfile.parse(f"FROM {name.short}\n")
    with Mover(_access(reference)) as mover:
        source = mover.source(reference)
        if not isinstance(source, RegistrySource):  # a reference is always in a registry
            raise Unsupported(f"{spec} is in no registry")
        manifest = source.manifest()
        try:
            here = store.show(name)
        except ModelNotFound:
            pass
        else:
            if here.digest == manifest.digest.hex:
                return Base(spec, modelfile, folder, inherited_from(here))
        model = _standin(source, manifest, name)
    size = sum(layer.size for layer in manifest.blobs)
    download = Download(str(reference), size, lambda progress: _fetch(reference, name, store, progress))
    notes = (f"from a registry: {reference}", f"to download: {len(manifest.blobs)} blobs, {size:,} bytes")
    return Base(spec, modelfile, folder, inherited_from(model), notes=notes, downloads=(download,))


def _fetch(reference: Reference, name: ModelName, store: Store, progress: ProgressSink) -> None:
    if isinstance(store, LocalStore):
        fetch_model(store, str(reference), access=_access(reference), progress=progress)
    elif isinstance(store, OllamaStore):
        with Mover(_access(reference), progress) as mover:
            pull_into_server(mover, reference, store, name, progress)
    else:
        raise Unsupported(f"nothing can be pulled into {store.location}", hint="name a store with --store")


def _standin(source: RegistrySource, manifest: Manifest, name: ModelName) -> StoredModel:
    """Return the model as a store describes it that has everything but the numbers of the weights."""
    store = LocalStore(cache_folder() / "registries" / manifest.digest.hex)
    layout = store.layout
    registry, repository = source.registries[-1], source.reference.repository
    for layer in manifest.blobs:
        path = layout.blob_path(layer.digest)
        if path.is_file() and path.stat().st_size == layer.size:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        data = _beginning(registry, repository, layer)
        with replacing(path, keeps=False) as (descriptor, _):
            os.write(descriptor, data)
            os.ftruncate(descriptor, layer.size)
    place = layout.manifest_path(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place, keeps=False) as (descriptor, _):
        os.write(descriptor, manifest.raw)
    return store.show(name)


def _beginning(registry: Registry, repository: str, layer: Layer, progress: ProgressSink = silent) -> bytes:
    """Return a small blob as it is, of weights the header."""
    reader = _BlobReader(registry, repository, layer)
    if layer.media_type in {MODEL, PROJECTOR} or layer.size > _SMALL:
        remote = RemoteSource(reader, progress)
        scan(remote)
        return remote.read(0, 0, remote.fetched)
    data = reader.read(0, layer.size)
    if Digest.of(data) != layer.digest:
        raise DigestMismatch(f"{reader.name}: other bytes came", hint="the registry, or a proxy, changed them")
    return data


class _BlobReader:
    """Reads a blob of a registry at any place."""

    def __init__(self, registry: Registry, repository: str, layer: Layer) -> None:
        self._registry = registry
        self._repository = repository
        self._layer = layer
        self.name = f"oci://{registry.host}/{repository}@{layer.digest}"

    @property
    def size(self) -> int:
        """How many bytes the blob has."""
        return self._layer.size

    def read(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, fewer only where the blob ends."""
        end = min(start + length, self._layer.size)
        if end <= start:
            return b""
        with self._registry.blob(self._repository, self._layer.digest, start, end) as response:
            data = response.read(end if response.status == 200 else end - start)
        return data[start:end] if response.status == 200 else data
