"""Tokenizers of a checkpoint as a GGUF holds them: byte pairs, SentencePiece, word pieces; special tokens; chat templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint

if TYPE_CHECKING:
    from modelsmith.weights.convert.families.family import Family
    from modelsmith.weights.convert.keys import Keys

KINDS = {"sentencepiece": "SentencePiece", "bpe": "byte pairs", "wordpiece": "word pieces"}


def kind_of(family: Family) -> str:
    """Say which kind of tokenizer a checkpoint has; raises InvalidCheckpoint where it has none that its family can have."""
    from modelsmith.weights.convert.tokenizers.bpe import with_byte_fallback

    checkpoint, kinds = family.checkpoint, family.tokenizers
    if "wordpiece" in kinds:
        return "wordpiece"
    if "sentencepiece" in kinds and (checkpoint.folder / "tokenizer.model").exists():
        return "sentencepiece"
    if checkpoint.json("tokenizer.json") is not None:
        return "fallback" if "sentencepiece" in kinds and with_byte_fallback(checkpoint) else "bpe"
    if (checkpoint.folder / "vocab.json").exists() and (checkpoint.folder / "merges.txt").exists():
        return "bpe"
    other = (checkpoint.folder / "tekken.json").exists()
    raise InvalidCheckpoint(
        f"{checkpoint.folder} has no tokenizer{': tekken.json is in a format of Mistral alone' if other else ''}",
        hint="fetch tokenizer.json (or tokenizer.model) from the repository of the model or of its base model",
    )


def tokenizer_keys(family: Family, keys: Keys, pretokenizer: str | None = None) -> None:
    """Add everything about the tokenizer. ``pretokenizer`` is what llama.cpp calls the way of cutting words, where it is known."""
    from modelsmith.weights.convert.tokenizers import bpe, sentencepiece, wordpiece

    kind = kind_of(family)
    if kind == "wordpiece":
        wordpiece.add(family, keys)
    elif kind == "sentencepiece":
        sentencepiece.add(family, keys)
    elif kind == "fallback":
        bpe.add_with_fallback(family, keys)
    else:
        bpe.add(family, keys, pretokenizer)
    if kind in {"sentencepiece", "fallback"} and family.adds_space_prefix is not None:
        keys.flag("tokenizer.ggml.add_space_prefix", family.adds_space_prefix)
    family.tokenizer_keys(keys)
