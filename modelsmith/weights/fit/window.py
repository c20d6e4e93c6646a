"""Which layers look back only a window of tokens, and so keep only that many in the cache: as data.

Source: llama.cpp ``src/models/*.cpp`` (load_arch_hparams: sliding window and its pattern), ``src/llama-hparams.cpp``
(set_swa_pattern). Architectures that are not here keep every token in every layer, whatever their metadata says: so does
llama.cpp with phi3 and with the window of the first Mistral.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.weights.fit.keys import MAX_LAYERS

if TYPE_CHECKING:
    from modelsmith.weights.fit.keys import Keys


@dataclass(frozen=True, slots=True)
class WindowRule:
    """One of ``period`` layers looks at everything: the last, or with ``dense_first`` the first of them.

    ``window`` holds where the file names none; 0 means that without the key there is no window at all. ``fixed``: the
    key is only asked whether there is a window. ``layers``: only models with this many layers have one.
    """

    period: int
    window: int = 0
    dense_first: bool = False
    fixed: bool = False
    layers: int = 0


WINDOWS: dict[str, WindowRule] = {
    "afmoe": WindowRule(4),
    "cohere2": WindowRule(4),
    "cohere2moe": WindowRule(4, dense_first=True),
    "exaone-moe": WindowRule(4, 128),
    "exaone4": WindowRule(4, 4096, layers=64),
    "gemma-embedding": WindowRule(6),
    "gemma2": WindowRule(2, 4096),
    "gemma3": WindowRule(6),
    "gemma3n": WindowRule(5),
    "gemma4": WindowRule(6),
    "gpt-oss": WindowRule(2),
    "granite_swa": WindowRule(4),
    "laguna": WindowRule(4, dense_first=True),
    "llama4": WindowRule(4, 8192, fixed=True),
    "mellum": WindowRule(4),
    "mimo2": WindowRule(6),
    "modern-bert": WindowRule(3, dense_first=True),
    "muse-glimmer": WindowRule(4),
    "olmo2": WindowRule(4),
    "plamo3": WindowRule(8),
    "smallthinker": WindowRule(4, 4096, dense_first=True, fixed=True),
    "step35": WindowRule(4),
}
"""The architectures with a sliding window. A pattern in the file, a period or a list of truths, replaces ``period``."""

_KEY = "attention.sliding_window"
_PATTERN = "attention.sliding_window_pattern"
_NEEDS_KEY = frozenset(("smallthinker",))


def windows_of(keys: Keys, layers: int) -> tuple[int, ...]:
    """Return the window of each layer in tokens, 0 for layers that look at everything."""
    rule = WINDOWS.get(keys.metadata.architecture)
    if rule is None or (rule.layers and layers != rule.layers):
        return (0,) * layers
    said = keys.number(_KEY, 0 if keys.metadata.architecture in _NEEDS_KEY else rule.window, most=1 << 24)
    window = rule.window if rule.fixed and said else said
    if not window:
        return (0,) * layers
    pattern = keys.value(_PATTERN)
    if isinstance(pattern, list):
        if len(pattern) < layers:
            keys.fail(_PATTERN, keys.metadata[keys.full(_PATTERN)], f"and the model has {layers} layers")
        return tuple(window if slides else 0 for slides in pattern[:layers])
    period = keys.number(_PATTERN, rule.period, most=MAX_LAYERS)
    if not period:
        return (window,) * layers
    dense = 0 if rule.dense_first else period - 1
    return tuple(0 if layer % period == dense else window for layer in range(layers))
