"""What a model's vocabulary holds, as far as its GGUF can be read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.models.draft import Draft


def token_count(prompt: str, weights: Path | None) -> int | None:
    """Return how many tokens a prompt is; None where there is no vocabulary, or one whose rules are not known here."""
    if weights is None:
        return None
    from modelsmith.weights.convert.weights import open_weights
    from modelsmith.weights.gguf.tokens.bpe import BytePairs

    try:
        pairs = BytePairs.of(open_weights(weights))
    except (InvalidGGUF, UnreadableFile):
        return None
    return pairs.count(prompt) if pairs else None


def in_vocabulary(draft: Draft, wanted: set[str]) -> frozenset[str] | None:
    """Return which of these texts are tokens of the model; None where its vocabulary cannot be read here."""
    from modelsmith.weights.convert.weights import open_weights
    from modelsmith.weights.gguf.metadata import GGUFArray

    if draft.inherited.weights is None:
        return None
    with open_weights(draft.inherited.weights) as gguf:
        tokens = gguf.metadata.get("tokenizer.ggml.tokens")
        return frozenset(text for text in tokens if text in wanted) if isinstance(tokens, GGUFArray) else None
