"""Putting the pieces of a model into a folder: each blob in the cheapest way that leaves it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.manifest import CONFIG_TYPE, Digest, Layer, Manifest
from modelsmith.progress import Progress, ProgressSink
from modelsmith.records import dataclass
from modelsmith.store.layout import damaged_blob
from modelsmith.weights.blobs.blob import FileBlob, SegmentBlob

if TYPE_CHECKING:
    from modelsmith.store.create.compose import Composition, LayerDraft
    from modelsmith.store.local.known import KnownDigests
    from modelsmith.store.local.write import Writer


@dataclass(frozen=True, slots=True)
class Putter:
    """Stores a composition's blobs; ``as_is`` allows to link files that are kept as they are."""

    writer: Writer
    known: KnownDigests
    as_is: bool
    progress: ProgressSink

    def put(self, composition: Composition) -> Manifest:
        """Store every blob and return the manifest that refers to them; raises StoreError before it fills the disk."""
        self.writer.check_space(sum(map(self._bytes_to_write, composition.pieces)))
        layers = tuple(map(self._put, composition.pieces))
        config = Layer(CONFIG_TYPE, self.writer.put_bytes(composition.config), len(composition.config))
        return Manifest(config, layers)

    def _bytes_to_write(self, piece: LayerDraft) -> int:
        content = piece.content
        if isinstance(content, Layer):
            return 0
        if isinstance(content, bytes):
            return len(content)
        stored = self._stored(content) is not None
        return 0 if stored or self._links(content) else content.size

    def _put(self, piece: LayerDraft) -> Layer:
        content = piece.content
        before = len(self.writer.created)
        if isinstance(content, Layer):
            if not self.writer.has(content.digest, content.size):
                raise damaged_blob(self.writer.path_of(content.digest), content.source)
            layer = content
        elif isinstance(content, bytes):
            layer = Layer(piece.media_type, self.writer.put_bytes(content), len(content))
        else:
            layer = Layer(piece.media_type, self._put_blob(piece, content), content.size, piece.origin[0])
        status = "creating new layer" if len(self.writer.created) > before else "using existing layer"
        told = f"using autodetected template {piece.detected}" if piece.detected else f"{status} {layer.digest}"
        self.progress(Progress(told, str(layer.digest)))
        return layer

    def _put_blob(self, piece: LayerDraft, blob: SegmentBlob) -> Digest:
        digest = self._stored(blob)
        if digest is not None:
            return digest
        digest = self._linked(blob)
        if digest is None:
            rewritten = piece.weights is not None and bool(piece.weights.change)
            digest = self.writer.put_blob(blob, self.progress, "validating GGUF model" if rewritten else "copying")
        self.known.add(blob, digest)
        return digest

    def _stored(self, blob: SegmentBlob) -> Digest | None:
        """Return the digest if it is known without reading and the blob is there."""
        digest = self.known.find(blob)
        return digest if digest is not None and self.writer.has(digest, blob.size) else None

    def _links(self, blob: SegmentBlob) -> bool:
        return self.as_is and isinstance(blob, FileBlob) and self.writer.can_link(blob)

    def _linked(self, blob: SegmentBlob) -> Digest | None:
        """Link a file into the store and return its digest; None where it has to be copied."""
        if not isinstance(blob, FileBlob) or not self._links(blob):
            return None
        digest = blob.digest(self.progress)
        return digest if self.writer.has(digest, blob.size) or self.writer.link_blob(blob, digest) else None
