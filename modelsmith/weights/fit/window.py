"""Which layers look back only a window of tokens, and so keep only that many in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.fit.architectures import facts_of
from modelsmith.weights.fit.keys import MAX_LAYERS

if TYPE_CHECKING:
    from modelsmith.weights.fit.keys import Keys


_KEY = "attention.sliding_window"
_PATTERN = "attention.sliding_window_pattern"


def windows_of(keys: Keys, layers: int) -> tuple[int, ...]:
    """Return the window of each layer in tokens, 0 for layers that look at everything."""
    rule = facts_of(keys.metadata.architecture).window
    if rule is None or (rule.layers and layers != rule.layers):
        return (0,) * layers
    said = keys.number(_KEY, 0 if rule.needs_key else rule.window, most=1 << 24)
    window = rule.window if rule.fixed and said else said
    if not window:
        return (0,) * layers
    if not rule.period:
        return (window,) * layers
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
