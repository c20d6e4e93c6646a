"""What a served registry has: the models of a store's folder, and those that it fetches from the registry behind it."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from modelsmith.errors import ModelNotFound, ModelsmithError, ServerError
from modelsmith.name import DEFAULT_HOST, DEFAULT_NAMESPACE, ModelName
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.store.blobs import Blobs, BlobState, known_digests

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.manifest import Digest, Layer, Manifest
    from modelsmith.registry.access import Access
    from modelsmith.store.local.local import LocalStore

_PULLS = 2


class Upstream:
    """The registry behind a served one."""

    def __init__(self, host: str, access: Access) -> None:
        self.host = host
        self.access = access

    def manifest(self, name: ModelName) -> Manifest:
        """Fetch a manifest."""
        with Mover(self.access) as mover:
            return mover.source(Reference.of_name(name)).manifest()

    def pull(self, store: LocalStore, name: ModelName) -> None:
        """Bring a whole model into the store."""
        with Mover(self.access) as mover:
            mover.pull(Reference.of_name(name), store, name)


class Catalog:
    """Answers what a registry is asked. Safe to use from many threads."""

    def __init__(self, store: LocalStore, upstream: Upstream | None) -> None:
        self._store = store
        self._upstream = upstream
        self._blobs = Blobs(store.layout, known_digests(store.layout))
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_PULLS, "modelsmith-upstream")
        self._coming: dict[Digest, tuple[Layer, Future[None]]] = {}

    def close(self) -> None:
        """Fetch nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def repositories(self) -> list[str]:
        """Return what is stored, as namespace/name."""
        return sorted({f"{name.namespace}/{name.model}" for name in self._store.models()})

    def tags(self, repository: str) -> list[str]:
        """Return the stored tags of a repository; raises ModelNotFound."""
        tags = sorted({name.tag for name in self._store.models() if _is_in(name, repository)})
        if not tags:
            raise ModelNotFound(f"there is no model {repository}")
        return tags

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest by tag or digest: that of the registry behind this one, else what is stored."""
        if reference.startswith("sha256:"):
            return self._by_digest(repository, reference)
        if self._upstream is None:
            return self._stored(repository, reference)
        name = _name(self._upstream.host, repository, reference)
        try:
            found = self._upstream.manifest(name)
        except ServerError as error:
            if error.status not in {0, 502, 503, 504}:
                raise
            return self._stored(repository, reference)  # the other one is away, and what we have was its last word
        self._fetch(name, found)
        return found

    def blob_size(self, digest: Digest) -> int | None:
        """Return the size of a blob that is there or on its way; None for others."""
        path = self._store.blob_path(digest)
        with self._lock:
            coming = self._coming.get(digest)
        if coming is not None and not coming[1].done():
            return coming[0].size
        if self._blobs.state(digest) is not BlobState.WHOLE:
            return None
        return path.stat().st_size

    def blob_file(self, digest: Digest) -> Path | None:
        """Return the file of a blob, after it has arrived; None where it does not."""
        with self._lock:
            coming = self._coming.get(digest)
        if coming is not None:
            try:
                coming[1].result()
            except ModelsmithError:
                return None
        path = self._store.blob_path(digest)
        return path if path.is_file() else None

    def _fetch(self, name: ModelName, manifest: Manifest) -> None:
        """Have a model fetched, unless it is stored or on its way."""
        try:
            if self._store.layout.manifest(name).raw == manifest.raw:
                return
        except ModelsmithError:
            pass
        with self._lock:
            for digest in [digest for digest, (_, pull) in self._coming.items() if pull.done()]:
                del self._coming[digest]
            if all(layer.digest in self._coming for layer in manifest.blobs):
                return
            upstream = self._upstream
            if upstream is not None:
                pull = self._pool.submit(upstream.pull, self._store, name)
                self._coming.update({layer.digest: (layer, pull) for layer in manifest.blobs})

    def _stored(self, repository: str, tag: str) -> Manifest:
        host = self._upstream.host if self._upstream is not None else DEFAULT_HOST
        found = [name for name in self._store.models() if _is_in(name, repository) and name.tag == tag]
        first = [name for name in found if name.host == host] or found
        if len(first) != 1:
            names = ", ".join(name.short for name in found)
            reason = f"{len(found)} models could be meant: {names}" if found else "there is no such model"
            raise ModelNotFound(f"{repository}:{tag}: {reason}")
        return self._store.layout.manifest(first[0])

    def _by_digest(self, repository: str, digest: str) -> Manifest:
        for name in self._store.models():
            if _is_in(name, repository):
                manifest = self._store.layout.manifest(name)
                if str(manifest.digest) == digest:
                    return manifest
        raise ModelNotFound(f"{repository} has no manifest {digest}")


def _name(host: str, repository: str, tag: str) -> ModelName:
    namespace, _, model = repository.rpartition("/")
    name = ModelName(host, namespace or DEFAULT_NAMESPACE, model, tag)
    if name.problem:
        raise ModelNotFound(f"{repository}:{tag} is not the name of a model: {name.problem}")
    return name


def _is_in(name: ModelName, repository: str) -> bool:
    own = f"{name.namespace}/{name.model}"
    return repository in {own, name.model if name.namespace == DEFAULT_NAMESPACE else own}
