"""Sizes of a model as llama.cpp works them out of its keys, and expressions of them: ``head_k * head + 2 * k_gqa``.

Source: llama.cpp ``src/llama-model.cpp`` (load_hparams), ``src/llama-hparams.cpp``. A name without ``(i)`` of a key that has a value
for each block is the first block's, as there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.verify.model import TOKENS

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile

_TOKEN = regex(r"[a-z][a-z0-9_.]*(?:\(i\))?|\d+|[-+*/|()]")
_PER_LAYER = {"head": "attention.head_count", "head_kv": "attention.head_count_kv", "ff": "feed_forward_length"}
_RANKS = {"|": 0, "+": 1, "-": 1, "*": 2, "/": 2}
_OF_WINDOWS = ("attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count_swa")
_ABSENT_IS_NONE = frozenset(("expert_count", "expert_used_count"))

Tree = str | int | tuple[str, "Tree", "Tree"]


class Sizes:
    """The sizes of one model; each is None where the file alone does not tell it."""

    def __init__(self, gguf: GGUFFile) -> None:
        self._metadata = gguf.metadata
        self.has_windows = any(gguf.metadata.of_architecture(key) in gguf.metadata for key in _OF_WINDOWS)

    def value(self, expression: str, block: int = 0) -> int | None:
        """Return what an expression is for a block."""
        return self._tree(_parsed(expression), block)

    def _tree(self, tree: Tree, block: int) -> int | None:
        if isinstance(tree, int):
            return tree
        if isinstance(tree, str):
            return self._name(tree, block)
        sign, first, second = tree
        left = self._tree(first, block)
        if sign == "|":  # the first that is set
            return left or self._tree(second, block)
        right = self._tree(second, block)
        if left is None or right is None or (sign == "/" and not right):
            return None
        match sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _:
                return left // right

    def _name(self, name: str, block: int) -> int | None:
        per_block = name.endswith("(i)")
        name = name.removesuffix("(i)")
        at = block if per_block else 0
        if name in _PER_LAYER:
            return self._per_layer(name, at)
        if per_block and self.has_windows:  # which blocks look through a window is the architecture's own rule
            return None
        match name:
            case "embd":
                return self._key("embedding_length")
            case "vocab":
                tokens = self._metadata.get(TOKENS)
                return len(tokens) if isinstance(tokens, GGUFArray) else None
            case "layers":
                count = self._key("block_count")
                return None if count is None else count - (self._key("nextn_predict_layers") or 0)
            case "labels":
                labels = self._metadata.get(self._metadata.of_architecture("classifier.output_labels"))
                return len(labels) if isinstance(labels, GGUFArray) else 1
            case "token_types":
                count = self._metadata.get("tokenizer.ggml.token_type_count")
                return count if isinstance(count, int) else None
            case "head_k" | "head_v":
                return self._head(name)
            case "k_gqa" | "v_gqa":
                width, heads = self._head(f"head_{name[0]}"), self._per_layer("head_kv", at)
                return None if width is None or heads is None else width * heads
            case "rot":
                return self._key("rope.dimension_count") if self._has("rope.dimension_count") else self._head("head_k")
        return 0 if name in _ABSENT_IS_NONE and not self._has(name) else self._key(name)

    def _head(self, name: str) -> int | None:
        """Return the width of a head; without heads it is 0, whatever a key says."""
        key = {"head_k": "attention.key_length", "head_v": "attention.value_length"}[name]
        width, heads = self._key("embedding_length"), self._per_layer("head", 0)
        if not heads or width is None:
            return heads
        return self._key(key) if self._has(key) else width // heads

    def _per_layer(self, name: str, block: int) -> int | None:
        key = _PER_LAYER[name]
        if not self._has(key):
            return self._per_layer("head", block) if name == "head_kv" else 0
        value = self._metadata[self._metadata.of_architecture(key)]
        if isinstance(value, GGUFArray):
            value = value[block] if block < len(value) else None
        return int(value) if isinstance(value, int) else None

    def _has(self, key: str) -> bool:
        return self._metadata.of_architecture(key) in self._metadata

    def _key(self, key: str) -> int | None:
        value = self._metadata.get(self._metadata.of_architecture(key))
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@cache
def _parsed(expression: str) -> Tree:
    tokens = _TOKEN.findall(expression)
    tree, rest = _binary(tokens, 0)
    if rest:
        raise ValueError(f"{expression!r} goes on behind its end: {rest}")
    return tree


def _binary(tokens: list[str], rank: int) -> tuple[Tree, list[str]]:
    left, tokens = _operand(tokens)
    while tokens and tokens[0] in _RANKS and _RANKS[tokens[0]] >= rank:
        sign = tokens[0]
        right, tokens = _binary(tokens[1:], _RANKS[sign] + 1)
        left = (sign, left, right)
    return left, tokens


def _operand(tokens: list[str]) -> tuple[Tree, list[str]]:
    if tokens[0] == "(":
        tree, rest = _binary(tokens[1:], 0)
        return tree, rest[1:]
    return int(tokens[0]) if tokens[0].isdigit() else tokens[0], tokens[1:]
