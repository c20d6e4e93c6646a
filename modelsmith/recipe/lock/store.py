"""The models of a lock as a store: enough to plan with, where neither the models nor a server are at hand."""

# ruff: noqa: ARG002 - the arguments are those of every Store

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from modelsmith.errors import ModelNotFound, Unsupported
from modelsmith.manifest import CONFIG_TYPE, PARAMS, Digest, Layer
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.create.compose import BaseLayers, LayerDraft, compose
from modelsmith.store.create.request import as_float64, checked_request
from modelsmith.store.create.weights import Weights
from modelsmith.store.model import CreatePreview, LayerPreview, StoredModel
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.recipe.lock.format import LockedStored
    from modelsmith.store.listing import Listing
    from modelsmith.store.model import CreateRequest

_HINT = "leave --from-lock out: a lock has no place for a model"


class LockedStore:
    """A Store that knows the base of one locked model. Nothing can be created in it."""

    def __init__(self, location: str, model: LockedStored | None, weights: Mapping[str, Path]) -> None:
        """Take what the lock says of a stored base, None where the recipe starts from files; ``weights`` stand in for blobs."""
        self.location = location
        self._model = model
        self._weights = weights

    def ollama_version(self) -> str | None:
        """Return None: the lock names the version that it was planned for."""
        return None

    def models(self) -> tuple[ModelName, ...]:
        """List the base."""
        return () if self._model is None else (ModelName.strict(self._model.name),)

    def listing(self) -> Listing:
        """Raise Unsupported: a lock is no place where models are."""
        self._refuse()

    def show(self, name: ModelName) -> StoredModel:
        """Describe the base as the lock has it; raises ModelNotFound for any other model."""
        model = self._model
        if model is None or not ModelName.strict(model.name).same_as(name):
            raise ModelNotFound(
                f"{self.location} says nothing of {name.short}", hint="write it again with modelsmith lock"
            )
        path = self._weights.get(model.weights or "")
        chat_template = GGUFFile.open(path).chat_template if path is not None else model.chat_template
        return StoredModel(
            name=ModelName.strict(model.name),
            digest=model.digest,
            template=model.template,
            chat_template=chat_template,
            chat_template_known=model.chat_template_known,
            system=model.system,
            parameters=model.parameters,
            messages=model.messages,
            licenses=model.licenses,
            noted=model.noted,
            family=model.family,
            capabilities=frozenset(model.capabilities),
            weights=path,
            weights_digest=Digest.parse(model.weights) if model.weights else None,
            size=model.size,
            extra_layers=model.extra_layers,
            format=model.format,
        )

    def base_of(self, name: ModelName) -> BaseLayers:
        """Return the layers of the base as they are composed into another model; raises ModelNotFound, Unsupported."""
        model = self._model
        if model is None or not ModelName.strict(model.name).same_as(name):
            raise ModelNotFound(f"{self.location} says nothing of {name.short}")
        if not model.layers:
            raise Unsupported(f"{self.location} does not tell the layers of {name.short}: they were on a server")
        pieces = []
        for locked_layer in model.layers:
            digest = Digest.parse(locked_layer.digest)
            layer = Layer(locked_layer.type, digest, locked_layer.size, model.name, locked_layer.name)
            path = self._weights.get(str(digest))
            weights = Weights(locked_layer.type, (GGUFFile.open(path),), layer) if path is not None else None
            pieces.append(LayerDraft(locked_layer.type, layer, weights))
        has_parameters = any(locked_layer.type == PARAMS for locked_layer in model.layers)
        parameters: Any = (as_float64(model.parameters),) if has_parameters else ()
        return BaseLayers(tuple(pieces), model.config or {}, parameters)

    def preview(self, name: ModelName, request: CreateRequest, *, as_is: bool = False) -> CreatePreview:
        """Say which blobs the model would have. What is in the store that it goes to is not known here."""
        try:
            composition = compose(checked_request(request), self.base_of, as_is=as_is)
        except Unsupported:
            return CreatePreview((), changes=True)
        layers = []
        for piece in composition.pieces:
            content = piece.content
            if isinstance(content, Layer):
                layers.append(LayerPreview(piece.media_type, content.size, "exists", content.digest))
            elif isinstance(content, bytes):
                layers.append(LayerPreview(piece.media_type, len(content), "write", Digest.of(content)))
            else:
                change = piece.weights.change if piece.weights is not None else ""
                how = {"": "copy", "quantized": "quantize"}.get(change, "rewrite")
                layers.append(LayerPreview(piece.media_type, content.size, how, content.known_digest()))
        config = composition.config
        layers.append(LayerPreview(CONFIG_TYPE, len(config), "write", Digest.of(config)))
        return CreatePreview(tuple(layers), changes=True)

    def create(
        self, name: ModelName, request: CreateRequest, *, as_is: bool = False, progress: ProgressSink = silent
    ) -> StoredModel:
        """Raise Unsupported."""
        self._refuse()

    def copy(self, source: ModelName, target: ModelName) -> None:
        """Raise Unsupported."""
        self._refuse()

    def delete(self, name: ModelName) -> int | None:
        """Raise Unsupported."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Unsupported(f"{self.location} is a lock, and no place where models live", hint=_HINT)
