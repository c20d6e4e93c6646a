"""Write models of a store into a bundle: each blob once, hashed on the way."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

from modelsmith.errors import StoreError, Unsupported
from modelsmith.files.segments import CHUNK, read_into
from modelsmith.gojson import GoStruct, encode
from modelsmith.manifest import Digest
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.registry.bundle import tar
from modelsmith.registry.bundle.parts import PartsWriter
from modelsmith.registry.documents import OCI_TYPE, write_document
from modelsmith.registry.sources import StoreSource
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from modelsmith.files.segments import Segment
    from modelsmith.manifest import Layer
    from modelsmith.name import ModelName
    from modelsmith.registry.documents import Document
    from modelsmith.store.local.local import LocalStore

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_BUFFERS = 8


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a bundle holds: the files, the models with the digests of their manifests, how many blobs and bytes.

    A model's digest vouches for all its blobs; so does the bundle's ``index``, the digest of ``index.json``, for all models.
    ``found`` bytes had been written by an earlier run. ``kept`` are the files that were replaced, and where they are now.
    """

    paths: tuple[Path, ...]
    models: tuple[tuple[ModelName, Digest], ...]
    blobs: int
    size: int
    index: Digest
    found: int = 0
    kept: tuple[tuple[Path, Path], ...] = ()


def export(
    store: LocalStore,
    names: Sequence[ModelName],
    target: Path,
    *,
    split: int | None = None,
    compress: bool = False,
    force: bool = False,
    progress: ProgressSink = silent,
) -> Receipt:
    """Write models into ``target``, or into parts of at most ``split`` bytes; whole or not at all.

    A run that was killed goes on where it was: what it wrote is compared with what belongs there.

    ``compress`` uses zstd. Raises ModelNotFound, StoreError where a blob is missing or damaged, UsageError where a file
    stands in the way.
    """
    found = {store.layout.existing(name): store.layout.manifest(name) for name in names}
    documents = {name: write_document(manifest, oci=True) for name, manifest in found.items()}
    layers: dict[Digest, tuple[Layer, ModelName]] = {}
    for name, manifest in found.items():
        for layer in manifest.blobs:
            layers.setdefault(layer.digest, (layer, name))
    index = _index(documents)
    with PartsWriter(target, split, force=force) as parts:
        sink = _Sink(parts, compress=compress)
        sink.file(tar.LAYOUT, _LAYOUT)
        sink.file(tar.INDEX, index)
        for document in dict.fromkeys(documents.values()):
            sink.file(tar.BLOBS + document.digest.hex, document.data)
        total, done = sum(layer.size for layer, _ in layers.values()), 0
        for layer, name in layers.values():
            path = StoreSource(store, name).provide(layer, _NOWHERE, silent)
            sink.blob(layer, path, partial(_tell, progress, done, total))
            done += layer.size
        size = sink.finish()
        parts.publish()
        return Receipt(
            parts.paths,
            tuple((name, manifest.digest) for name, manifest in found.items()),
            len(layers),
            size,
            Digest.of(index),
            parts.found,
            tuple(parts.kept.items()),
        )


_NOWHERE: Any = None  # a store's blobs are where they are: nothing is fetched into a folder


def _tell(progress: ProgressSink, before: int, total: int, count: int) -> None:
    progress(Progress("exporting", "", before + count, total))


def _index(documents: dict[ModelName, Document]) -> bytes:
    entries = [
        GoStruct(
            mediaType=OCI_TYPE,
            digest=str(document.digest),
            size=len(document.data),
            annotations={REF_NAME: name.short},
        )
        for name, document in documents.items()
    ]
    return encode(GoStruct(schemaVersion=2, mediaType=OCI_INDEX, manifests=entries)).encode()


class _Sink:
    """The stream of a bundle: hashed, perhaps compressed, and cut into parts."""

    def __init__(self, parts: PartsWriter, *, compress: bool) -> None:
        self._parts = parts
        self._size = 0
        self._compressor = _compressor() if compress else None

    def file(self, name: str, data: bytes) -> None:
        """Add a small file."""
        self._write(tar.header(name, len(data)) + data + tar.padding(len(data)))

    def blob(self, layer: Layer, path: Path, tell: Callable[[int], None]) -> None:
        """Add a blob; raises StoreError where its bytes are not what its name promises."""
        self._write(tar.header(tar.BLOBS + layer.digest.hex, layer.size))
        found = self._pour(FileBlob(path).segments, tell)
        if found != layer.digest:
            raise StoreError(
                f"{path} is damaged: its bytes are not those that its name promises",
                hint="`modelsmith store fsck` shows what is wrong; pull or create the model again",
            )
        self._write(tar.padding(layer.size))

    def _pour(self, segments: Sequence[Segment], tell: Callable[[int], None]) -> Digest:
        """Write the bytes and return their digest; a second thread hashes meanwhile."""
        sha, done = hashlib.sha256(), 0
        ring = [memoryview(bytearray(CHUNK)) for _ in range(_BUFFERS)]
        waiting: list[Any] = []

        def buffers() -> Any:
            for buffer in cycle(ring):
                if len(waiting) == _BUFFERS:
                    waiting.pop(0).result()
                yield buffer

        with ThreadPoolExecutor(1) as hasher:
            for chunk in read_into(segments, buffers()):
                waiting.append(hasher.submit(sha.update, chunk))
                self._out(chunk)
                done += len(chunk)
                tell(done)
        return Digest(sha.hexdigest())

    def _write(self, data: bytes) -> None:
        self._out(memoryview(data))

    def _out(self, data: memoryview) -> None:
        self._size += len(data)
        if self._compressor is None:
            self._parts.write(data)
        elif packed := self._compressor.compress(data):
            self._parts.write(packed)

    def finish(self) -> int:
        """Close the stream; return how many bytes were written."""
        self._write(tar.end(self._size))
        if self._compressor is not None:
            self._parts.write(self._compressor.flush())
        return self._parts.size


def _compressor() -> Any:
    return zstandard().ZstdCompressor(level=3, threads=-1).compressobj()


def zstandard() -> Any:
    """Return the package zstandard; raises Unsupported where it is not installed."""
    try:
        import zstandard as package
    except ModuleNotFoundError as error:
        raise Unsupported(
            "compressed bundles need the package zstandard", hint='pip install "modelsmith[bundle]"'
        ) from error
    return package
