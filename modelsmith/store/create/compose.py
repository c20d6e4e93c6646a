"""Composing a model: from a request to the layers and the config that Ollama would store. Writes nothing.

Sources: Ollama ``server/create.go`` (CreateHandler, createModel, set…), ``server/model.go`` (detectChatTemplate),
``internal/modelref/modelref.go`` (names with a source).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelsmith.errors import InvalidModelName, TemplateSyntaxError, UsageError
from modelsmith.gojson import encode
from modelsmith.manifest import DRAFT, LICENSE, MESSAGES, MODEL, PARAMS, SYSTEM, TEMPLATE, Layer
from modelsmith.name import ModelName
from modelsmith.patterns import regex
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.records import dataclass
from modelsmith.store.create.config import Config, human_number
from modelsmith.store.create.weights import Weights, check_quantization, weights_from_files
from modelsmith.template.effective.imported import imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from modelsmith.store.create.request import CheckedRequest
    from modelsmith.weights.blobs.blob import SegmentBlob

CLOUD = "https://ollama.com:443"
_OLLAMA_PORT = 11434
_SURROGATES = regex("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LayerDraft:
    """One layer to be: text, bytes of files, or a layer that is stored already. ``detected`` names a built-in template."""

    media_type: str
    content: bytes | SegmentBlob | Layer
    weights: Weights | None = None
    detected: str = ""

    @property
    def origin(self) -> tuple[str, str]:
        """What the layer says about where it comes from: its ``from`` and its ``name``."""
        if isinstance(self.content, Layer):
            return self.content.source, self.content.name
        return self.weights.source if self.weights else "", ""


@dataclass(frozen=True, slots=True)
class BaseLayers:
    """The model that FROM names: its layers with their origin noted, headers of its weights, config and parameters."""

    pieces: tuple[LayerDraft, ...]
    config: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """A model to be: its layers in order and its config blob."""

    pieces: tuple[LayerDraft, ...]
    config: bytes


def compose(
    request: CheckedRequest,
    base_of: Callable[[ModelName], BaseLayers],
    *,
    as_is: bool = False,
    progress: ProgressSink = silent,
) -> Composition:
    """Return what Ollama would store for a request; ``base_of`` reads the model that it starts from.

    Raises what Ollama refuses, TemplateSyntaxError for a template among it.
    """
    config = Config(noted=dict(request.noted))
    pieces: list[LayerDraft] = []
    inherited: tuple[Mapping[str, Any], ...] = ()
    remote = False
    if request.base:
        name, cloud = _source(request.base)
        remote = cloud or bool(request.remote_host)
        if remote:
            config.remote_model = name
            config.remote_host = remote_url(request.remote_host or CLOUD)
        else:
            base = base_of(ModelName.strict(name))
            config.inherit(base.config)
            pieces += base.pieces
            inherited = base.parameters
    else:
        progress(Progress("parsing GGUF"))
        pieces += _detected(weights_from_files(request.files, "model", as_is=as_is))
    if remote and request.draft_files:
        raise UsageError("DRAFT cannot be used with remote models")
    if not remote:
        pieces += _detected(weights_from_files(request.adapters, "adapter", as_is=as_is))
        pieces += map(_piece, weights_from_files(request.draft_files, "draft", as_is=as_is))
    if request.info:
        config.override(request.info)
    parameters = dict(request.parameters)
    _describe(pieces, config, parameters)
    check_quantization([piece.weights for piece in pieces if piece.weights], request.quantize, request.draft_quantize)
    return Composition(tuple(_with_texts(pieces, request, parameters, inherited)), config.to_bytes())


def _source(text: str) -> tuple[str, bool]:
    """Return a model's name without the marks ``:local``, ``:cloud`` and ``-cloud``, and whether it is in the cloud."""
    base, cloud, marked = _cut_source(text.strip())
    if marked and _cut_source(base)[2]:
        raise InvalidModelName(f'use either :local or :cloud, not both: "{text:.200}"')
    if not ModelName.parse(base).is_valid:
        ModelName.strict(base)
    return base, cloud


def _cut_source(text: str) -> tuple[str, bool, bool]:
    before, colon, tag = text.rpartition(":")
    mark = tag.strip().lower()
    if colon and mark in {"cloud", "local"}:
        return before, mark == "cloud", True
    if colon and "/" not in tag and mark.endswith("-cloud"):
        return f"{before}:{tag.strip()[: -len('-cloud')]}", True, True
    return text, False, False


def remote_url(text: str) -> str:
    """Return the URL of another Ollama as the config blob notes it: scheme http and port 11434 unless said otherwise."""
    if text.startswith("/"):
        return f"http://localhost:{_OLLAMA_PORT}{text.rstrip('/')}"
    full = text if "://" in text else f"http://{text}"
    if full == "http://ollama.com":
        return CLOUD
    try:
        parts = urlsplit(full)
        port = parts.port or _OLLAMA_PORT
    except ValueError as error:
        raise UsageError(f"bad remote: {text!r:.120} is not a URL") from error
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def _piece(weights: Weights) -> LayerDraft:
    return LayerDraft(weights.media_type, weights.content, weights)


def _detected(layers: tuple[Weights, ...]) -> Iterator[LayerDraft]:
    """Yield the weights, then the built-in template and stop strings for each chat template that is near one."""
    yield from map(_piece, layers)
    for weights in layers:
        named = imported(weights.gguf.architecture, weights.gguf.chat_template).named
        if named is None:
            continue
        yield LayerDraft(TEMPLATE, named.template.encode(), detected=named.name)
        if named.stop:
            yield LayerDraft(PARAMS, _json({"stop": list(named.stop)}))


def _describe(pieces: Iterable[LayerDraft], config: Config, parameters: dict[str, Any]) -> None:
    """Note what the weights say about the model, and what their architecture brings along."""
    for piece in pieces:
        if piece.weights is None:
            continue
        gguf = piece.weights.gguf
        if piece.media_type == DRAFT:
            config.draft_format, config.draft_architecture = "gguf", gguf.architecture
        if piece.media_type != MODEL:
            continue
        config.model_format = config.model_format or "gguf"
        config.model_family = config.model_family or gguf.architecture
        config.model_type = config.model_type or human_number(piece.weights.parameter_count)
        config.file_type = config.file_type or gguf.file_type
        config.model_families = [*(config.model_families or ()), gguf.architecture]
        brought = imported(gguf.architecture, None, renderer=config.renderer, parser=config.parser)
        config.noted |= {"renderer": brought.renderer, "parser": brought.parser}
        if brought.stop:
            parameters.setdefault("stop", list(brought.stop))


def _with_texts(
    pieces: list[LayerDraft],
    request: CheckedRequest,
    parameters: dict[str, Any],
    inherited: tuple[Mapping[str, Any], ...],
) -> list[LayerDraft]:
    if request.template:
        _check_template(request.template)
        pieces = _replaced(pieces, TEMPLATE, _utf8(request.template))
    if request.system:
        pieces = _replaced(pieces, SYSTEM, _utf8(request.system))
    pieces = [*pieces, *(LayerDraft(LICENSE, _utf8(text)) for text in request.licenses)]
    for older in (*inherited, *_detected_parameters(pieces)):
        for key, value in older.items():
            parameters.setdefault(key, value)
    if parameters:
        pieces = _replaced(pieces, PARAMS, _json(parameters))
    if request.messages:
        pieces = _replaced(pieces, MESSAGES, _json(request.messages))
    return pieces


def _detected_parameters(pieces: Iterable[LayerDraft]) -> Iterator[Mapping[str, Any]]:
    for piece in pieces:
        if piece.media_type == PARAMS and isinstance(piece.content, bytes):
            yield json.loads(piece.content)


def _replaced(pieces: Iterable[LayerDraft], media_type: str, data: bytes) -> list[LayerDraft]:
    return [*(piece for piece in pieces if piece.media_type != media_type), LayerDraft(media_type, data)]


def _utf8(text: str) -> bytes:
    return _SURROGATES.sub("\ufffd", text).encode()


def _json(value: object) -> bytes:
    try:
        return encode(value).encode() + b"\n"
    except ValueError as error:
        raise UsageError(f"json: {error}") from error


def _check_template(text: str) -> None:
    from modelsmith.template.go.template import Template

    try:
        Template.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(
            f"template error: {error.message}", line=error.line, offset=error.offset, hint=error.hint
        ) from error
