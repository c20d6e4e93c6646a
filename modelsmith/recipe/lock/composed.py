"""The manifest that a plan leads to: its blobs, with their digests as far as they can be known before they are made."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError, Unsupported
from modelsmith.files.cache import cache_folder
from modelsmith.manifest import CONFIG_TYPE, Digest, Layer, Manifest
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.recipe.lock.format import LockedLayer, LockedResult
from modelsmith.recipe.lock.store import LockedStore
from modelsmith.store.create.compose import compose
from modelsmith.store.create.request import checked_request
from modelsmith.store.layout import Layout
from modelsmith.store.local.known import KnownDigests
from modelsmith.store.local.local import LocalStore
from modelsmith.store.local.show import read_base
from modelsmith.weights.blobs.quantized import QuantizedGGUF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.store.create.compose import BaseLayers, Composition, LayerDraft
    from modelsmith.weights.blobs.blob import SegmentBlob


def result_of(
    plan: Plan,
    sources: Mapping[str, str],
    *,
    hashes: bool,
    locked: LockedResult | None = None,
    progress: ProgressSink = silent,
) -> LockedResult:
    """Return what a plan makes. ``sources`` are the digests of the files that the weights are made of, by name.

    ``hashes`` reads the weights for a digest that is not known; else those of ``locked`` count where the weights are made
    of the same in the same way.
    """
    made_of = _made_of(plan, sources)
    runs = plan.after.effective.source
    base_of = _reader(plan)
    if plan.missing or (plan.request.fields.get("from") and base_of is None):
        return LockedResult(runs=runs, weights=made_of)
    try:
        composition = compose(checked_request(plan.request), base_of or _no_base, as_is=plan.as_is)
    except (Unsupported, ModelsmithError):  # only a server makes it, in its own way
        return LockedResult(runs=runs, weights=made_of)
    known = list(locked.layers) if locked is not None and locked.weights == made_of else []
    layers = []
    for number, piece in enumerate(composition.pieces):
        digest = known[number].digest if number < len(known) and known[number].type == piece.media_type else None
        layers.append(_layer(piece, digest, hashes=hashes, progress=progress))
    manifest = _manifest(composition, layers)
    return LockedResult(
        manifest=str(manifest.digest) if manifest is not None else None,
        runs=runs,
        weights=made_of,
        layers=(
            *layers,
            LockedLayer(type=CONFIG_TYPE, digest=str(Digest.of(composition.config)), size=len(composition.config)),
        ),
    )


def _made_of(plan: Plan, sources: Mapping[str, str]) -> str:
    """Return a digest of what the weights are made of, and how."""
    after = plan.after
    how: list[Any] = [
        sorted(sources.items()),
        sorted((key, repr(value)) for key, value in after.gguf.items()),
        repr(after.quantize) if after.quantize else "",
        after.merge_shards,
        [weight for _, weight in after.adapters],
        plan.as_is,
    ]
    return f"sha256:{hashlib.sha256(json.dumps(how).encode()).hexdigest()}"


def _reader(plan: Plan) -> Callable[[ModelName], BaseLayers] | None:
    """Return what reads the layers of a model; None where only a server has them."""
    if isinstance(plan.store, LockedStore):
        return plan.store.base_of
    if isinstance(plan.store, LocalStore):
        layout = plan.store.layout
    elif (found := served_layout(plan)) is not None:
        layout = found
    else:
        return None
    return lambda name: read_base(layout, name)


def served_layout(plan: Plan) -> Layout | None:
    """Return the folder of a server's models where the base's weights are read from it; None where they are not."""
    base = plan.before.base.inherited
    if not base.stored or base.weights is None or base.weights.parent.name != "blobs":
        return None
    layout = Layout(base.weights.parent.parent)
    name = ModelName.parse(plan.before.base.modelfile.from_ or "")
    try:
        return layout if name.is_valid and layout.manifest(name).digest.hex == base.digest else None
    except ModelsmithError:
        return None


def _no_base(name: ModelName) -> BaseLayers:
    raise Unsupported(f"{name.short} is not read here")


def _layer(piece: LayerDraft, locked: str | None, *, hashes: bool, progress: ProgressSink) -> LockedLayer:
    content = piece.content
    if isinstance(content, Layer):
        return LockedLayer(
            type=piece.media_type,
            digest=str(content.digest),
            size=content.size,
            source=content.source,
            name=content.name,
        )
    if isinstance(content, bytes):
        return LockedLayer(type=piece.media_type, digest=str(Digest.of(content)), size=len(content))
    digest = _digest(content, hashes=hashes, progress=progress) or locked
    return LockedLayer(type=piece.media_type, digest=digest, size=content.size, source=piece.origin[0])


def _digest(blob: SegmentBlob, *, hashes: bool, progress: ProgressSink) -> str | None:
    known = remembered().find(blob)
    if known is None and hashes and not isinstance(blob, QuantizedGGUF):
        known = blob.digest(progress)
        remembered().add(blob, known)
    return str(known) if known is not None else None


def remembered() -> KnownDigests:
    """Return the digests of files that were hashed for locks."""
    return KnownDigests(cache_folder() / "locked.json")


def _manifest(composition: Composition, layers: list[LockedLayer]) -> Manifest | None:
    """Return the manifest; None while a digest is not known."""
    if any(layer.digest is None for layer in layers):
        return None
    config = Layer(CONFIG_TYPE, Digest.of(composition.config), len(composition.config))
    found = [
        Layer(
            locked_layer.type,
            Digest.parse(locked_layer.digest),
            locked_layer.size,
            locked_layer.source,
            locked_layer.name,
        )
        for locked_layer in layers
    ]
    return Manifest(config, tuple(found))
