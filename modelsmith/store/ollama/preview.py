"""What creating a model on a server would send and change, found out by questions only.

The model to be is composed here, by the code that composes it for a directory, and compared with what the server shows.
Where that cannot be done here (quantization, Safetensors) the answer is "changes".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import Unsupported
from modelsmith.manifest import (
    ADAPTER,
    DRAFT,
    LICENSE,
    MESSAGES,
    MODEL,
    PARAMS,
    PROJECTOR,
    SYSTEM,
    TEMPLATE,
    Digest,
    Layer,
)
from modelsmith.store.create.compose import BaseLayers, Composition, LayerDraft, compose
from modelsmith.store.create.request import checked_request
from modelsmith.store.model import CreatePreview, LayerPreview
from modelsmith.store.ollama.create import has_blob
from modelsmith.store.ollama.show import DEFAULT_TEMPLATE
from modelsmith.syntax.modelfile.table import NOTED
from modelsmith.weights.blobs.quantized import QuantizedGGUF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.http.client import HttpClient
    from modelsmith.progress import ProgressSink
    from modelsmith.store.model import CreateRequest
    from modelsmith.store.ollama.show import Described

# What only a server can do: whether it was done already cannot be seen from outside.
_SERVER_ONLY = ("quantize", "quantization", "draft_quantize", "info", "remote_host")
_WEIGHTS = {"model": MODEL, "adapter": ADAPTER, "draft": DRAFT}


def preview(
    http: HttpClient,
    request: CreateRequest,
    base: Described | None,
    current: Described | None,
    *,
    as_is: bool,
    progress: ProgressSink,
) -> CreatePreview:
    """Return the blobs of the model to be and whether it differs from ``current`` (None: there is none yet)."""
    try:
        composition = compose(checked_request(request), lambda _: _base(base), as_is=as_is)
    except Unsupported:
        composition = None
    comparable = composition is not None and not any(request.fields.get(key) for key in _SERVER_ONLY)
    changes = not (comparable and composition and current and _is_same(composition, base, current, progress))
    layers = [*_weights(http, request, base, changes, progress)]
    if composition is not None:
        layers += _texts(http, composition, changes)
    return CreatePreview(tuple(layers), changes)


def _base(described: Described | None) -> BaseLayers:
    """Return the base as the composer wants it; an empty one never comes here."""
    if described is None:
        return BaseLayers((), {}, ())
    shown, model = described
    pieces = [LayerDraft(_WEIGHTS[kind], Layer(_WEIGHTS[kind], digest, 0)) for kind, digest in shown.digests if digest]
    texts = [(TEMPLATE, model.template), (SYSTEM, model.system or None), *((LICENSE, text) for text in model.licenses)]
    pieces += [LayerDraft(media_type, text.encode()) for media_type, text in texts if text is not None]
    if model.messages:
        pieces.append(LayerDraft(MESSAGES, json.dumps([dict(message) for message in model.messages]).encode()))
    return BaseLayers(tuple(pieces), dict(model.noted), (model.parameters,))


def _weights(
    http: HttpClient, request: CreateRequest, base: Described | None, changes: bool, progress: ProgressSink
) -> Iterator[LayerPreview]:
    if base is not None:
        yield LayerPreview(MODEL, base.model.size, "exists", base.model.weights_digest, base.model.weights)
    for media_type, group in ((MODEL, request.files), (DRAFT, request.draft_files), (ADAPTER, request.adapters)):
        for source in group.values():
            if isinstance(source, QuantizedGGUF) and source.known_digest() is None:
                yield LayerPreview(media_type, source.size, "upload", None, source.path)
                continue
            digest = source.digest(progress)
            how = "upload" if changes and not has_blob(http, digest) else "exists"
            yield LayerPreview(media_type, source.size, how, digest, source.path)


def _texts(http: HttpClient, composition: Composition, changes: bool) -> Iterator[LayerPreview]:
    for piece in composition.pieces:
        if isinstance(piece.content, bytes):
            digest = Digest.of(piece.content)
            how = "write" if changes and not has_blob(http, digest) else "exists"
            yield LayerPreview(piece.media_type, len(piece.content), how, digest)


def _is_same(composition: Composition, base: Described | None, current: Described, progress: ProgressSink) -> bool:
    """Tell whether the stored model is known to be what was composed. Hashes the weights only when all else agrees."""
    shown, model = current
    texts: dict[str, list[str]] = {}
    for piece in composition.pieces:
        if isinstance(piece.content, bytes):
            texts.setdefault(piece.media_type, []).append(piece.content.decode("utf-8", "replace"))
    config = json.loads(composition.config)
    facts: list[tuple[object, object]] = [
        (base.model.name.short.lower() if base is not None else "", shown.parent.lower()),
        (texts.get(TEMPLATE, []), _templates(current, texts)),
        (texts.get(SYSTEM, []), [model.system] if model.system else []),
        (texts.get(LICENSE, []), list(model.licenses)),
        (_json(texts, PARAMS) or {}, dict(model.parameters)),
        (_json(texts, MESSAGES) or [], [dict(message) for message in model.messages]),
        *((config.get(command) or "", model.noted.get(command, "")) for command in NOTED),
    ]
    if any(wished != found for wished, found in facts):
        return False
    if any(
        isinstance(piece.content, QuantizedGGUF) and not piece.content.known_digest() for piece in composition.pieces
    ):
        return False  # not known: a plan does not quantize a model to find out
    return sorted(map(str, _digests(composition, progress))) == sorted(str(digest) for _, digest in shown.digests)


def _templates(current: Described, texts: dict[str, list[str]]) -> list[str]:
    """Return the stored template. A server shows "none" and the default alike, and runs them alike without Jinja."""
    shown, model = current
    if model.template is not None:
        return [model.template]
    unseen = model.weights is None and shown.chat_template is None
    return [DEFAULT_TEMPLATE] if unseen and texts.get(TEMPLATE) == [DEFAULT_TEMPLATE] else []


def _digests(composition: Composition, progress: ProgressSink) -> Iterator[Digest]:
    for piece in composition.pieces:
        if isinstance(piece.content, Layer):
            yield piece.content.digest
        elif not isinstance(piece.content, bytes) and piece.media_type in {MODEL, ADAPTER, DRAFT, PROJECTOR}:
            yield piece.content.digest(progress)


def _json(texts: dict[str, list[str]], media_type: str) -> Any:
    return json.loads(texts[media_type][0]) if media_type in texts else None
