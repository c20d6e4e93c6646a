"""Read a bundle: what models it holds, and their blobs, verified; nothing in it is believed before it is checked."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from modelsmith.errors import BlobNotFound, DigestMismatch, ModelNotFound, StoreError
from modelsmith.files.stream import copy_segments, write_all
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest
from modelsmith.name import ModelName
from modelsmith.progress import Progress, ProgressSink
from modelsmith.registry.bundle import tar
from modelsmith.registry.bundle.parts import PartsReader
from modelsmith.registry.bundle.write import REF_NAME, zstandard
from modelsmith.registry.documents import check_is_model, read_document
from modelsmith.registry.parts import growing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from modelsmith.manifest import Layer, Manifest
    from modelsmith.store.folder import Folder

_ZSTD = b"\x28\xb5\x2f\xfd"
_MAX_INDEX = 4 << 20
_MAX_SMALL = 64 << 20  # all manifests together
_PIECE = 1 << 20


class Bundle:
    """An open bundle; ``models`` are its manifests by name, checked."""

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        self._parts = PartsReader(path)
        self._compressed = self._parts.read(len(_ZSTD)) == _ZSTD
        self._members: dict[str, tar.Member] = {}
        self.models: Mapping[ModelName, Manifest] = self._models()
        self._known = layers_of(self.models.values())
        self._wanted: set[Digest] = set()
        self._lock = threading.Lock()
        self._unpacked = False

    def find(self, name: ModelName) -> ModelName:
        """Return the name as the bundle has it; raises ModelNotFound with the names that are there."""
        found = next((other for other in self.models if other.same_as(name)), None)
        if found is None:
            names = ", ".join(other.short for other in self.models) or "none"
            raise ModelNotFound(f"{self.title} holds no model {name.short}", hint=f"it holds {names}")
        return found

    def source(self, name: ModelName) -> BundleSource:
        """Return what one model of the bundle is read by."""
        return BundleSource(self, self.find(name))

    def want(self, digests: Iterable[Digest]) -> None:
        """Say which blobs a compressed bundle has to be unpacked for."""
        self._wanted.update(digests)

    def extract(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Bring a blob into ``folder``, verified; raises BlobNotFound, DigestMismatch."""
        if self._compressed:
            return self._extract_compressed(layer, folder, progress)
        member = self._members.get(tar.BLOBS + layer.digest.hex)
        if member is None:
            raise self._missing(layer.digest)
        if member.size != layer.size:
            raise DigestMismatch(
                f"{self.title}: blob {layer.digest} has {member.size:,} bytes instead of {layer.size:,}"
            )
        with growing(folder, layer.digest, layer.size) as target:
            os.ftruncate(target.descriptor, 0)
            slices = self._parts.slices(member.start, member.size)

            def tell(step: Progress) -> None:
                progress(Progress(step.status, str(layer.digest), step.completed, step.total))

            found = copy_segments(slices, target.descriptor, tell, f"loading {layer.digest.short}")
            if found != layer.digest:
                target.discard()
                raise self._damaged(layer.digest, found)
            os.fsync(target.descriptor)
        return folder.path / layer.digest.file_name

    def _extract_compressed(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        with self._lock:
            if not self._unpacked:
                self._unpack(folder, progress)
                self._unpacked = True
        if not folder.exists(layer.digest.file_name):
            raise self._missing(layer.digest)
        return folder.path / layer.digest.file_name

    def _unpack(self, folder: Folder, progress: ProgressSink) -> None:
        """Go through the compressed stream once; what nobody asked for, or is longer than announced, is not written."""
        stream = self._stream()
        for member in tar.members(stream.read, stream.skip_to, self.title):
            digest = member.digest
            if member.name in self._members:  # the index or a manifest
                continue
            if digest is None or self._known.get(digest) != member.size:
                raise StoreError(
                    f"{self.title} holds {member.name} of {member.size:,} bytes, which none of its models names",
                    hint="it is refused: a bundle holds nothing else",
                )
            if digest not in self._wanted:
                continue
            with growing(folder, digest, member.size) as target:
                import hashlib

                os.ftruncate(target.descriptor, 0)
                sha, done = hashlib.sha256(), 0
                while done < member.size:
                    piece = stream.read(min(_PIECE, member.size - done))
                    if not piece:
                        raise StoreError(f"{self.title} ends early", hint="it is not complete: copy it again")
                    sha.update(piece)
                    write_all(target.descriptor, piece)
                    done += len(piece)
                    progress(Progress(f"loading {digest.short}", str(digest), done, member.size))
                if sha.hexdigest() != digest.hex:
                    target.discard()
                    raise self._damaged(digest, Digest(sha.hexdigest()))
                os.fsync(target.descriptor)

    def _models(self) -> dict[ModelName, Manifest]:
        small = self._small_files()
        index = small.get(tar.INDEX)
        if index is None or tar.LAYOUT not in small:
            raise StoreError(
                f"{self.title} is no bundle: it has no {tar.INDEX}", hint="a bundle is what `modelsmith export` writes"
            )
        found: dict[ModelName, Manifest] = {}
        for entry in _entries(index, self.title):
            name = _name(entry, self.title)
            digest = Digest.parse(entry.get("digest"))
            data = small.get(tar.BLOBS + digest.hex)
            if data is None:
                raise BlobNotFound(f"{self.title}: the manifest of {name.short} is missing, or too large to be one")
            if Digest.of(data) != digest:
                raise self._damaged(digest, Digest.of(data))
            if name in found:
                raise StoreError(f"{self.title} holds {name.short} twice")
            manifest = read_document(data, f"{name.short} in {self.title}")
            check_is_model(manifest, f"{name.short} in {self.title}")
            found[name] = manifest
        return found

    def _small_files(self) -> dict[str, bytes]:
        """Read the index and the manifests; of a plain bundle, note where every blob is."""
        small: dict[str, bytes] = {}
        names: set[str] | None = None
        total = 0
        stream = self._stream()
        for member in tar.members(stream.read, stream.skip_to, self.title):
            if member.digest is not None and names is not None and member.name not in names and self._compressed:
                break  # manifests come first: what follows is unpacked when it is asked for
            self._members[member.name] = member
            if member.digest is not None and names is not None and member.name not in names:
                continue
            if member.size > _MAX_INDEX:
                if member.digest is None:
                    raise StoreError(f"{self.title}: {member.name} has {member.size:,} bytes, which it cannot have")
                continue
            total += member.size
            if total > _MAX_SMALL:
                raise StoreError(f"{self.title}: its manifests have more than {_MAX_SMALL >> 20} MiB together")
            small[member.name] = stream.read(member.size)
            if member.name == tar.INDEX:
                names = {
                    tar.BLOBS + Digest.parse(entry.get("digest")).hex
                    for entry in _entries(small[tar.INDEX], self.title)
                }
        return small

    def _stream(self) -> PartsReader | _Unpacking:
        self._parts.skip_to(0)
        return _Unpacking(self._parts, self.title) if self._compressed else self._parts

    def _missing(self, digest: Digest) -> BlobNotFound:
        return BlobNotFound(
            f"{self.title}: blob {digest} is missing", hint="it is not complete: copy or export it again"
        )

    def _damaged(self, digest: Digest, found: Digest) -> DigestMismatch:
        return DigestMismatch(
            f"{self.title} is damaged: blob {digest} has the digest {found}", hint="copy or export it again"
        )


class BundleSource:
    """One model of a bundle, as a transfer reads it."""

    def __init__(self, bundle: Bundle, name: ModelName) -> None:
        self._bundle = bundle
        self._name = name

    def manifest(self) -> Manifest:
        """Return its manifest."""
        return self._bundle.models[self._name]

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Bring a blob into ``folder``, verified."""
        return self._bundle.extract(layer, folder, progress)


class _Unpacking:
    """The bytes of a zstd stream, forwards only."""

    def __init__(self, parts: PartsReader, title: str) -> None:
        package = zstandard()
        self._error: type[Exception] = package.ZstdError
        self._reader = package.ZstdDecompressor(max_window_size=1 << 27).stream_reader(parts, read_across_frames=True)
        self._title = title
        self._place = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        pieces, missing = [], size
        try:
            while missing and (piece := self._reader.read(missing)):
                pieces.append(piece)
                missing -= len(piece)
        except self._error as error:
            raise StoreError(f"{self._title} is damaged: {error}", hint="copy or export it again") from error
        self._place += size - missing
        return b"".join(pieces)

    def skip_to(self, place: int) -> None:
        """Pass over everything before a byte."""
        while self._place < place:
            if not self.read(min(_PIECE, place - self._place)):
                raise StoreError(f"{self._title} ends early", hint="it is not complete: copy it again")


def _entries(index: bytes, title: str) -> list[dict[str, Any]]:
    from modelsmith.registry.documents import once

    try:
        body = json.loads(index, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{title}: {tar.INDEX} is not JSON: {error}") from error
    entries = body.get("manifests") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise StoreError(f"{title}: {tar.INDEX} has no list of manifests")
    if len(entries) > MAX_MANIFEST_BYTES // 256:
        raise StoreError(f"{title}: {tar.INDEX} names {len(entries):,} models, more than any store has")
    return entries


def _name(entry: dict[str, Any], title: str) -> ModelName:
    annotations = entry.get("annotations")
    text = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    name = ModelName.parse(text) if isinstance(text, str) else None
    if name is None or not name.is_valid:
        raise StoreError(f"{title} names a model {text!r:.100}, which is no name of a model")
    return name


def layers_of(manifests: Iterable[Manifest]) -> dict[Digest, int]:
    """Return every blob of some models with its size."""
    return {layer.digest: layer.size for manifest in manifests for layer in manifest.blobs}
