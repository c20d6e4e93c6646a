"""What the kernels of a card take while they compute: a pool that grows with the largest thing they turn into another type.

It is no buffer that llama.cpp lays out beforehand, and grows when a prompt is read. What the first prompts need is counted;
what only a prompt as long as the context needs is a reserve.

Sources: llama.cpp ``ggml/src/ggml-cuda/mmq.cu`` (activations in blocks of 8 bits, 36 bytes for 32 numbers),
``fattn-common.cuh`` (a cache in blocks is turned into f16), ``ggml-cuda.cu`` (matrices of floats go to cuBLAS in f16);
measured on an H100 and two H200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.fit.memory import cells_of
from modelsmith.weights.fit.settings import cache_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.fit.model import FitModel, Layer
    from modelsmith.weights.fit.settings import FitSettings

PROMPT = 3072
"""How many tokens a usual prompt fills of the context, of which what it needs is counted as taken."""

_HALF = 2
_BLAS = 32 << 20  # the room that cuBLAS takes for itself
_FLOATS = frozenset(("F16", "BF16", "F32", "0", "1", "32"))  # names, and numbers of general.file_type


def pool(model: FitModel, layers: Sequence[Layer], settings: FitSettings) -> int:
    """Return the bytes of the pool once a usual prompt was read."""
    tokens = settings.tokens
    inner = max(model.feed_forward // 3, model.experts_used * model.expert_width)
    query = max((layer.query for layer in layers), default=0)
    widest = max(inner, model.embedding, query)
    converted = max((_converted(layer, settings, PROMPT) for layer in layers), default=0)
    if model.file_type in _FLOATS:
        return _BLAS + max(2 * _HALF * widest * tokens, converted)
    quantized = widest * tokens * 36 // 32
    if settings.flash_attention:
        return max(quantized, converted)
    return _BLAS + max(quantized, 2 * _HALF * query * tokens + converted)


def growth(layers: Sequence[Layer], settings: FitSettings) -> int:
    """Return how many bytes the pool grows until the context is full, of all requests."""
    full = max((_converted(layer, settings, cells_of(layer, settings)) for layer in layers), default=0)
    many = settings.parallel if settings.flash_attention else 1
    return max(0, full * many - max((_converted(layer, settings, PROMPT) for layer in layers), default=0))


def _converted(layer: Layer, settings: FitSettings, tokens: int) -> int:
    """Return the bytes in f16 of a layer's cache, where it is of another type; without flash attention those of its scores."""
    cells = min(tokens, cells_of(layer, settings))
    if not layer.keys:
        return 0
    if not settings.flash_attention:
        return cells * settings.tokens * layer.heads * _HALF
    wide = (layer.keys, settings.keys), (layer.values, settings.values)
    return sum(cells * width * _HALF for width, name in wide if cache_type(name).name != "F16")
