"""How many bytes a model needs besides its weights: cache, states, room to compute in.

The cache is exact: llama.cpp allocates it as a whole. What is computed in one batch is laid out by ggml so that tensors
share memory once they are no longer needed; its size is that of the widest moment, told here by the moments that can be it.
The factors were found by loading models of many shapes into llama.cpp and reading the sizes that it logs, on the processor
and on cards.

Sources: llama.cpp ``src/llama-kv-cache.cpp``, ``src/llama-kv-cache-iswa.cpp``, ``src/llama-memory-recurrent.cpp`` (sizes),
``src/llama-context.cpp`` (output_reserve, sched_reserve, when it works in a pipeline), ``src/llama-graph.cpp`` (what is
computed), ``ggml/src/ggml-backend.cpp`` (copies of inputs in a pipeline, which are never written over).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.weights.fit.settings import cache_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.fit.model import FitModel, Layer
    from modelsmith.weights.fit.settings import FitSettings

_FLOAT = 4
_SMALL = 32 << 10  # positions, numbers of cells and the like
_ROTATION = 80 << 10  # what keys and values are turned with before they are stored in blocks
_PLACE = 8  # without flash attention values are stored transposed, each number at a place of its own
PIPELINE_COPIES = 4
"""How many copies of its inputs a card keeps where several cards work in a pipeline (GGML_SCHED_MAX_COPIES)."""


def cells_of(layer: Layer, settings: FitSettings) -> int:
    """Return how many tokens a layer keeps of one request."""
    return settings.window_cells(layer.window) if layer.window else settings.cells


def cache_of(model: FitModel, layer: Layer, settings: FitSettings) -> int:
    """Return the bytes that a layer keeps of all tokens of all requests."""
    values = layer.values
    if values and not settings.flash_attention:  # the transposed values are padded to the widest layer's
        values = max(block.values for block in model.layers)
    cells = cells_of(layer, settings) * settings.parallel
    return cells * (_row(model, layer.keys, settings.keys, 0) + _row(model, values, settings.values, 1))


def _row(model: FitModel, width: int, name: str, which: int) -> int:
    kind = cache_type(name)
    head = model.head_sizes[which] or width
    if width % kind.block or (width and head % kind.block):
        raise UsageError(
            f"{model.name}: a cache in {name} needs heads of a multiple of {kind.block} numbers, these have {head}",
            hint="take f16 for --kv-type",
        )
    return width // kind.block * kind.width


def state_of(layer: Layer, settings: FitSettings) -> int:
    """Return the bytes of a layer's states, one a request."""
    return layer.state * settings.parallel


def masks(layers: Iterable[Layer], settings: FitSettings) -> int:
    """Return the bytes that say which tokens of a batch see which of the cache, once for each kind of layer."""
    width = 2 if settings.flash_attention else _FLOAT
    kinds = {cells_of(layer, settings) if layer.window else -1: layer for layer in layers if layer.keys}
    return sum(cells_of(layer, settings) * settings.tokens * width for layer in kinds.values())


def inputs(layers: Iterable[Layer], settings: FitSettings) -> int:
    """Return the bytes of what a batch brings along beside its embeddings: masks, positions, places in the cache."""
    used = tuple(layers)
    blocks = any(cache_type(name).block > 1 for name in (settings.keys, settings.values))
    return masks(used, settings) + _SMALL + (_ROTATION if blocks and any(layer.keys for layer in used) else 0)


def places(layers: Iterable[Layer], settings: FitSettings) -> int:
    """Return the bytes that say where each number of a batch's values is stored, where they are stored transposed."""
    if settings.flash_attention:
        return 0
    return _PLACE * max((layer.values for layer in layers), default=0) * settings.tokens


def compute(
    model: FitModel,
    layers: Iterable[Layer],
    settings: FitSettings,
    *,
    output: bool,
    card: bool = False,
    copies: int = 1,
) -> int:
    """Return the room to compute some layers in, and with ``output`` the scores: the widest moment of a batch.

    ``card``: the layers are on a card, where the embeddings come in from main memory. ``copies``: of its inputs, more than
    one where several cards work in a pipeline.
    """
    used = tuple(layers)
    tokens = settings.tokens
    outputs = min(tokens, settings.outputs or settings.parallel)
    widest = max(
        (moment for _, moment in moments(model, used, settings, card=card)), default=2 * model.embedding * tokens
    )
    scores = outputs * (model.vocabulary + model.embedding) + model.embedding * tokens if output else 0
    more = 0
    if copies > 1:  # of what comes in from the device before, too
        more = copies * _FLOAT * model.embedding * tokens + (copies - 1) * places(used, settings)
    return _FLOAT * max(widest, scores) + copies * inputs(used, settings) + more


def moments(
    model: FitModel, layers: Iterable[Layer], settings: FitSettings, *, card: bool = False
) -> list[tuple[str, int]]:
    """Return the moments that may be the widest, with how many floats live then.

    On a ``card`` the embeddings are no part of it: two rows less in the feed forward part, and in the scores of attention.
    """
    tokens, width = settings.tokens, model.embedding
    used = tuple(layers)
    found: list[tuple[str, int]] = []
    if not used:
        return found
    if model.feed_forward:
        found.append(("feed forward", (model.feed_forward + (3 if card else 5) * width) * tokens))
    if model.experts_used and any(layer.experts for layer in used):
        inner, outer = model.experts_used * model.expert_width, model.experts_used * width
        beside = outer if outer > 2 * inner else 0  # smaller results take the place of what went into them
        found.append(("experts", (3 * inner + beside + 5 * width) * tokens))
    if any(layer.state for layer in used):
        mixed, convolved = model.mixer
        state = max(layer.state for layer in used) // _FLOAT * settings.parallel
        found.append(("state", (2 * mixed + 2 * convolved + 4 * width) * tokens + state))
    attention = max((_attention(model, layer, settings, card=card) for layer in used if layer.heads), default=0)
    if attention:
        found.append(("attention", attention))
    return found


def _attention(model: FitModel, layer: Layer, settings: FitSettings, *, card: bool) -> int:
    tokens, width = settings.tokens, model.embedding
    key, value = model.latent
    if key:
        queries = layer.heads * (layer.keys + model.head_sizes[1] + key + value) + 4 * width
    else:
        rows = 4 if settings.flash_attention else 1 if card else 3
        queries = 3 * layer.query + layer.keys + layer.values + rows * width
    scores = 0 if settings.flash_attention else cells_of(layer, settings) * layer.heads
    return (queries + scores) * tokens


def output_buffer(model: FitModel, settings: FitSettings) -> int:
    """Return the bytes in main memory that the scores are handed out in."""
    return _FLOAT * model.vocabulary * max(settings.parallel, settings.outputs or 0)
