"""Byte pairs: tokens and merges of ``tokenizer.json`` (or ``vocab.json`` and ``merges.txt``).

Source: llama.cpp ``conversion/base.py`` (_set_vocab_gpt2, _set_vocab_llama_hf), ``gguf-py/gguf/vocab.py`` (merges).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.tokenizers.pretokenizers import find_pretokenizer
from modelsmith.weights.convert.tokenizers.special import special_keys
from modelsmith.weights.convert.tokenizers.vocabulary import BYTE, NORMAL, added_tokens, by_number, typed
from modelsmith.weights.gguf.types import ValueType

if TYPE_CHECKING:
    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.families.family import Family
    from modelsmith.weights.convert.keys import Keys

_SPACE = chr(ord(" ") + 256)
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_AGAIN = "fetch the file again"


def add(family: Family, keys: Keys, pretokenizer: str | None) -> None:
    """Add tokens, types, merges and special tokens of a tokenizer that works on bytes."""
    checkpoint, config = family.checkpoint, family.config
    texts = by_number(checkpoint, config)
    tokens, types = typed(texts, added_tokens(checkpoint), config.size("vocab_size"))
    keys.text("tokenizer.ggml.model", "gpt2")
    keys.text("tokenizer.ggml.pre", pretokenizer or find_pretokenizer(checkpoint, frozenset(texts.values())))
    keys.texts("tokenizer.ggml.tokens", tokens)
    keys.numbers("tokenizer.ggml.token_type", ValueType.INT32, types)
    keys.texts("tokenizer.ggml.merges", [f"{left} {right}" for left, right in _merges(checkpoint)])
    special_keys(family, keys)


def with_byte_fallback(checkpoint: Checkpoint) -> bool:
    """Say whether tokenizer.json is one of SentencePiece in other words: it falls back to bytes where it has no token."""
    model = checkpoint.table("tokenizer.json").get("model")
    return isinstance(model, dict) and model.get("type") == "BPE" and model.get("byte_fallback") is True


def add_with_fallback(family: Family, keys: Keys) -> None:
    """Add such a tokenizer in the way of SentencePiece: the order of the merges becomes the tokens' scores."""
    checkpoint, config = family.checkpoint, family.config
    texts, added = by_number(checkpoint, config), added_tokens(checkpoint)
    tokens, types = typed(texts, added, config.size("vocab_size"))
    types = [
        BYTE if kind == NORMAL and _BYTE.fullmatch(text) else kind for text, kind in zip(tokens, types, strict=True)
    ]
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(_merges(checkpoint, spaces=True)):
        ranks.setdefault(left + right, rank)
    scores = [
        0.0 if kind == BYTE else -1000.0 if number in added else -float(ranks.get(text, len(ranks)))
        for number, (text, kind) in enumerate(zip(tokens, types, strict=True))
    ]
    keys.text("tokenizer.ggml.model", "llama")
    keys.text("tokenizer.ggml.pre", "default")
    keys.texts("tokenizer.ggml.tokens", tokens)
    keys.numbers("tokenizer.ggml.scores", ValueType.FLOAT32, scores)
    keys.numbers("tokenizer.ggml.token_type", ValueType.INT32, types)
    keys.flag("tokenizer.ggml.add_space_prefix", _adds_space(checkpoint.table("tokenizer.json")))
    special_keys(family, keys, len(tokens))


def _adds_space(tokenizer: Any) -> bool:
    """Say whether a text gets a space before its first word."""
    normalizer, cutter = tokenizer.get("normalizer"), tokenizer.get("pre_tokenizer")
    steps = normalizer.get("normalizers", [normalizer]) if isinstance(normalizer, dict) else []
    if any(isinstance(step, dict) and step.get("type") == "Prepend" for step in steps):
        return True
    if not isinstance(cutter, dict) or cutter.get("type") != "Metaspace":
        return False
    return cutter.get("prepend_scheme", "always") != "never" and cutter.get("add_prefix_space", True) is not False


def _merges(checkpoint: Checkpoint, *, spaces: bool = False) -> list[tuple[str, str]]:
    """Return the merges, the first the strongest. A space in a part is written as the letter for it, unless ``spaces``."""
    model = checkpoint.table("tokenizer.json").get("model")
    path = checkpoint.folder / "tokenizer.json"
    if isinstance(model, dict):
        merges = model.get("merges")
        if isinstance(merges, list) and merges:
            return [_pair(merge, path, spaces=spaces) for merge in merges]
    text = checkpoint.text("merges.txt")
    if text is None:
        raise InvalidCheckpoint(f"{path} has no merges", hint=_AGAIN)
    lines = text.split("\n")[1 if text.startswith("#") else 0 :]
    return [_pair(line.strip(), checkpoint.folder / "merges.txt", spaces=spaces) for line in lines if line.strip()]


def _pair(merge: Any, path: object, *, spaces: bool) -> tuple[str, str]:
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise InvalidCheckpoint(f"{path} has the merge {merge!r:.60}, which is no pair", hint=_AGAIN)
    left, right = parts
    return (left, right) if spaces else (left.replace(" ", _SPACE), right.replace(" ", _SPACE))
