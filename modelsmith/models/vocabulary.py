"""What a model's vocabulary holds, as far as its GGUF can be read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


def in_vocabulary(draft: Draft, wanted: set[str]) -> frozenset[str] | None:
    """Return which of these texts are tokens of the model; None where its vocabulary cannot be read here."""
    from modelsmith.weights.convert.weights import open_weights
    from modelsmith.weights.gguf.metadata import GGUFArray

    if draft.inherited.weights is None:
        return None
    with open_weights(draft.inherited.weights) as gguf:
        tokens = gguf.metadata.get("tokenizer.ggml.tokens")
        return frozenset(text for text in tokens if text in wanted) if isinstance(tokens, GGUFArray) else None
