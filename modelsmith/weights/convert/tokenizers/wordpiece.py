"""Word pieces, as BERT has them. llama.cpp marks the beginnings of words, BERT marks what continues one.

Source: llama.cpp ``conversion/bert.py`` (set_vocab).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.tokenizers.special import special_keys
from modelsmith.weights.convert.tokenizers.vocabulary import CONTROL, added_tokens, by_number, typed
from modelsmith.weights.gguf.types import ValueType

if TYPE_CHECKING:
    from modelsmith.weights.convert.families.family import Family
    from modelsmith.weights.convert.keys import Keys

_UNCASED, _UNCASED_NAME = (
    30522,
    "jina-v2-en",
)  # as the converter calls the vocabulary of bert-base-uncased; nothing follows from it


def add(family: Family, keys: Keys) -> None:
    """Add tokens, types and special tokens."""
    checkpoint, config = family.checkpoint, family.config
    model = checkpoint.table("tokenizer.json").get("model")
    if not isinstance(model, dict) or model.get("type", "WordPiece") != "WordPiece":
        raise InvalidCheckpoint(
            f"{checkpoint.folder / 'tokenizer.json'} has no word pieces",
            hint="only models with BERT's own tokenizer are converted; fetch tokenizer.json where it is missing",
        )
    tokens, types = typed(by_number(checkpoint, config), added_tokens(checkpoint), config.size("vocab_size"))
    keys.text("tokenizer.ggml.model", "bert")
    keys.text("tokenizer.ggml.pre", _UNCASED_NAME if len(tokens) == _UNCASED else "default")
    keys.texts("tokenizer.ggml.tokens", [_marked(text, kind) for text, kind in zip(tokens, types, strict=True)])
    keys.numbers("tokenizer.ggml.token_type", ValueType.INT32, types)
    special_keys(family, keys, len(tokens))


def _marked(text: str, kind: int) -> str:
    if kind == CONTROL:
        return text
    return text[2:] if text.startswith("##") else f"▁{text}"
