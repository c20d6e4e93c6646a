"""Reading a model back from a store's folder.

Sources: Ollama ``server/images.go`` (GetModel, capabilities), ``server/routes.go`` (shouldUseHarmony).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import BlobNotFound, ModelsmithError, TemplateError
from modelsmith.manifest import (
    ADAPTER,
    DRAFT,
    LICENSE,
    MESSAGES,
    MODEL,
    PARAMS,
    PROJECTOR,
    PROMPT,
    SYSTEM,
    TEMPLATE,
    Layer,
    Manifest,
)
from modelsmith.store.blobs import Blobs, known_digests
from modelsmith.store.create.compose import BaseLayers, LayerDraft
from modelsmith.store.create.request import as_float64
from modelsmith.store.create.weights import Weights
from modelsmith.store.foreign import read_config, read_json, read_messages, read_object, read_parameters
from modelsmith.store.model import StoredModel
from modelsmith.syntax.modelfile.table import NOTED
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.name import ModelName
    from modelsmith.store.layout import Layout

_WEIGHTS = {MODEL: "model", PROJECTOR: "projector", ADAPTER: "adapter", DRAFT: "draft"}
_GPT_OSS = ("gptoss", "gpt-oss")
_NO_AUDIO = "nemotron_h_omni"


def read_base(layout: Layout, name: ModelName) -> BaseLayers:
    """Read the model that another one is made from; raises ModelNotFound, BlobNotFound, InvalidGGUF, StoreError."""
    name = layout.existing(name)
    manifest = layout.manifest(name)
    pieces: list[LayerDraft] = []
    for layer in manifest.layers:
        path = layout.blob_path(layer.digest)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise BlobNotFound(
                f"{name.short} is incomplete: {path} is missing", hint=f"`ollama pull {name.short}` or create it again"
            ) from error
        stored = Layer(layer.media_type, layer.digest, size, name.short, layer.name)
        weights = Weights(layer.media_type, (_open(layout, layer),), stored) if layer.media_type in _WEIGHTS else None
        pieces.append(LayerDraft(layer.media_type, stored, weights))
    parameters = tuple(_parameters(layout, layer) for layer in manifest.of_type(PARAMS))
    return BaseLayers(tuple(pieces), _config(layout, manifest), parameters)


def read_model(layout: Layout, name: ModelName) -> StoredModel:
    """Describe a stored model; raises ModelNotFound, BlobNotFound or StoreError."""
    name = layout.existing(name)
    manifest = layout.manifest(name)
    config = _config(layout, manifest)
    template = _text(layout, manifest, PROMPT, TEMPLATE)
    gguf = _gguf(layout, manifest)
    chat_template = gguf.chat_template if gguf else None
    parameters: dict[str, Any] = {}
    for layer in manifest.of_type(PARAMS):
        parameters.update(_parameters(layout, layer))
    models = manifest.of_type(MODEL)
    weights = models[-1] if models else None
    return StoredModel(
        name=name,
        digest=manifest.digest.hex,
        template=template,
        chat_template=chat_template,
        chat_template_known=gguf is not None or weights is None,
        system=_text(layout, manifest, SYSTEM) or "",
        parameters={key: _whole(value) for key, value in parameters.items()},
        messages=_messages(layout, manifest),
        licenses=tuple(_decoded(layout, layer) for layer in manifest.of_type(LICENSE)),
        noted={command: config[command] for command in NOTED},
        family=config["model_family"],
        capabilities=_capabilities(layout, manifest, config, gguf, template),
        weights=layout.blob_path(weights.digest) if weights and gguf else None,
        weights_digest=weights.digest if weights else None,
        size=manifest.config.size + sum(layer.size for layer in manifest.layers),
        extra_layers=tuple(
            kind for layer in manifest.layers if (kind := _WEIGHTS.get(layer.media_type, "model")) != "model"
        ),
        format=config["model_format"],
        parent=weights.source if weights else "",
    )


def _capabilities(
    layout: Layout, manifest: Manifest, config: Mapping[str, Any], gguf: GGUFFile | None, template: str | None
) -> frozenset[str]:
    from modelsmith.template.effective.capabilities import chat_capabilities, go_capabilities, prefer_chat_template
    from modelsmith.template.effective.renderers import PARSERS

    found = set(config["capabilities"])
    family, parser = config["model_family"], PARSERS.get(config["parser"])
    chat_template = (gguf.chat_template if gguf else None) or ""
    harmony = family in _GPT_OSS and template is not None and "<|start|>" in template and "<|end|>" in template
    rendered = harmony or bool(config["renderer"] or config["parser"])
    go_template_runs = False
    try:
        if template is not None:
            go_template_runs = rendered or not (chat_template and prefer_chat_template(template, chat_template))
            found |= go_capabilities(template) if go_template_runs else set()
    except TemplateError:
        go_template_runs = True  # stored by other means; it fails when it is used, and says nothing until then
    if gguf is not None:
        found |= _of_weights(gguf)
        if not rendered and not go_template_runs:
            found |= chat_capabilities(chat_template)
    for layer in manifest.of_type(PROJECTOR):
        found |= _of_projector(layout, layer)
    if parser is not None:
        found |= parser.capabilities
    if family in _GPT_OSS:
        found.add("thinking")
    if _NO_AUDIO in {family, gguf.architecture if gguf else ""}:
        found.discard("audio")
    return frozenset(found)


def _of_weights(gguf: GGUFFile) -> set[str]:
    def has(key: str) -> bool:
        return gguf.metadata.of_architecture(key) in gguf.metadata

    found = {"embedding" if has("pooling_type") else "completion"}
    return found | {kind for kind in ("vision", "audio") if has(f"{kind}.block_count")}


def _of_projector(layout: Layout, layer: Layer) -> set[str]:
    try:
        metadata = _open(layout, layer).metadata
    except ModelsmithError:
        return {"vision"}
    hears = any(metadata.flag(key) for key in metadata if key.endswith("has_audio_encoder"))
    mute = metadata.text(metadata.of_architecture("vision.projector_type")) == "gemma3nv"
    return {"vision", "audio"} if hears and not mute else {"vision"}


def _gguf(layout: Layout, manifest: Manifest) -> GGUFFile | None:
    """Return the weights' header; None where there are none or they cannot be read, which show must survive."""
    models = manifest.of_type(MODEL)
    try:
        return _open(layout, models[-1]) if models else None
    except ModelsmithError:
        return None


def _open(layout: Layout, layer: Layer) -> GGUFFile:
    return GGUFFile.open(Blobs(layout, known_digests(layout)).path_to_read(layer.digest))


def _config(layout: Layout, manifest: Manifest) -> Mapping[str, Any]:
    values = _json_object(layout, manifest.config)
    return read_config(values, f"the config in {layout.blob_path(manifest.config.digest)}")


def _json_object(layout: Layout, layer: Layer) -> dict[str, Any]:
    value = read_object(layout.small_blob(layer.digest), str(layout.blob_path(layer.digest)))
    result: dict[str, Any] = as_float64(value)
    return result


def _parameters(layout: Layout, layer: Layer) -> dict[str, Any]:
    where = f"the parameters in {layout.blob_path(layer.digest)}"
    return read_parameters(_json_object(layout, layer), where)


def _messages(layout: Layout, manifest: Manifest) -> tuple[Mapping[str, Any], ...]:
    layers = manifest.of_type(MESSAGES)
    if not layers:
        return ()
    where = str(layout.blob_path(layers[-1].digest))
    return read_messages(read_json(layout.small_blob(layers[-1].digest), where), where)


def _text(layout: Layout, manifest: Manifest, *media_types: str) -> str | None:
    """Return the text of the last layer of these types, None where there is none."""
    layers = [layer for layer in manifest.layers if layer.media_type in media_types]
    return _decoded(layout, layers[-1]) if layers else None


def _decoded(layout: Layout, layer: Layer) -> str:
    return layout.small_blob(layer.digest).decode("utf-8", "replace")


def _whole(value: Any) -> Any:
    """Return whole numbers as int: JSON from Go does not tell 1 from 1.0, and people write 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_whole(item) for item in value] if isinstance(value, list) else value
