"""Tokens at which llama.cpp ends an answer by their text, whatever the GGUF names as end of sequence.

Source: llama.cpp ``src/llama-vocab.cpp`` (the texts that it takes for end-of-generation tokens).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set

ENDING_TEXTS = frozenset(
    {
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<EOT>",
        "_<EOT>",
        "<|eom_id|>",
        "<|return|>",
        "<|call|>",
        "<|calls|>",
        "<|flush|>",
        "<turn|>",
        "<end_of_utterance>",
        "<eos>",
        "</s>",
        "<｜end▁of▁sentence｜>",
    }
)
"""Texts that end an answer where the vocabulary has them as one token."""

NOT_THE_END = ({"<|return|>", "<|call|>"}, {"<|calls|>", "<|flush|>"})
"""A vocabulary with one of these pairs has messages that end with <|end|>, and answers that do not."""


def ends_by_itself(text: str, vocabulary: Set[str]) -> bool:
    """Say whether llama.cpp ends an answer at this token of a vocabulary, even where the GGUF does not name it."""
    return text in ENDING_TEXTS and not (text == "<|end|>" and any(pair <= vocabulary for pair in NOT_THE_END))
