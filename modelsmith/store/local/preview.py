"""What creating a model in a folder would write and change. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InvalidDigest, StoreError
from modelsmith.manifest import CONFIG_TYPE, Digest, Layer, Manifest
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.blobs import Blobs, BlobState
from modelsmith.store.model import CreatePreview, LayerPreview
from modelsmith.weights.blobs.blob import FileBlob, SegmentBlob
from modelsmith.weights.blobs.quantized import QuantizedGGUF

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.store.create.compose import Composition, LayerDraft
    from modelsmith.store.layout import Layout
    from modelsmith.store.local.known import KnownDigests


class Previewer:
    """Compares a composition with what a folder holds."""

    def __init__(self, layout: Layout, known: KnownDigests) -> None:
        self._layout = layout
        self._known = known
        self._blobs = Blobs(layout, known)

    def preview(
        self, name: ModelName, composition: Composition, *, as_is: bool, progress: ProgressSink = silent
    ) -> CreatePreview:
        """Return the blobs and how they would come to be, and whether the stored model would change."""
        stored = self._stored(name)
        layers = [self._layer(piece, as_is=as_is) for piece in composition.pieces]
        config = Layer(CONFIG_TYPE, Digest.of(composition.config), len(composition.config))
        layers.append(self._seen(CONFIG_TYPE, config.size, config.digest, "write"))
        changes = stored is None or stored.config != config or not self._same(stored, composition, layers, progress)
        return CreatePreview(tuple(layers), changes)

    def _stored(self, name: ModelName) -> Manifest | None:
        try:
            return self._layout.manifest(name)
        except (StoreError, InvalidDigest):
            return None

    def _layer(self, piece: LayerDraft, *, as_is: bool) -> LayerPreview:
        content = piece.content
        if isinstance(content, Layer):
            return LayerPreview(
                piece.media_type, content.size, "exists", content.digest, self._layout.blob_path(content.digest)
            )
        if isinstance(content, bytes):
            return self._seen(piece.media_type, len(content), Digest.of(content), "write")
        change = piece.weights.change if piece.weights is not None else ""
        kept = "link" if as_is and self._can_link(content) else "copy"
        how = {"": kept, "quantized": "quantize"}.get(change, "rewrite")
        digest = self._known.find(content)
        if digest is None:
            return LayerPreview(piece.media_type, content.size, how, None, content.path)
        return self._seen(piece.media_type, content.size, digest, how)

    def _seen(self, media_type: str, size: int, digest: Digest, how: str) -> LayerPreview:
        path = self._layout.blob_path(digest)
        is_there = self._blobs.state(digest, size, hashes=False) is BlobState.WHOLE
        return LayerPreview(media_type, size, "exists" if is_there else how, digest, path)

    def _can_link(self, blob: SegmentBlob) -> bool:
        from modelsmith.store.local.write import can_link

        try:
            return isinstance(blob, FileBlob) and can_link(blob.path, _existing(self._layout))
        except OSError:
            return False

    def _same(
        self, stored: Manifest, composition: Composition, layers: list[LayerPreview], progress: ProgressSink
    ) -> bool:
        """Compare layer by layer; bytes of files are hashed last, and only when everything else is equal."""
        if len(stored.layers) != len(composition.pieces) or not self._whole(stored, silent, hashes=False):
            return False
        pairs = list(zip(stored.layers, composition.pieces, layers, strict=False))
        if not all(_may_be_same(layer, piece, seen) for layer, piece, seen in pairs):
            return False
        for number, (layer, piece, seen) in enumerate(pairs):
            if seen.digest is None and isinstance(piece.content, QuantizedGGUF):
                return False  # not known: a plan does not quantize a model to find out
            if seen.digest is None and isinstance(piece.content, SegmentBlob):
                digest = piece.content.digest(progress)
                layers[number] = self._seen(piece.media_type, seen.size, digest, seen.how)
                if digest != layer.digest:
                    return False
        return self._whole(stored, progress, hashes=True)

    def _whole(self, stored: Manifest, progress: ProgressSink, *, hashes: bool) -> bool:
        return all(
            self._blobs.state(layer.digest, layer.size, progress, hashes=hashes) is BlobState.WHOLE
            for layer in stored.blobs
        )


def _may_be_same(layer: Layer, piece: LayerDraft, seen: LayerPreview) -> bool:
    same = (layer.media_type, layer.size, layer.source, layer.name) == (piece.media_type, seen.size, *piece.origin)
    return same and seen.digest in {None, layer.digest}


def _existing(layout: Layout) -> Path:
    return next(
        (folder for folder in (layout.folder, *layout.folder.absolute().parents) if folder.is_dir()), layout.folder
    )
