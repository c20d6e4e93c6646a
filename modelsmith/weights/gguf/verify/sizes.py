"""Sizes of a model as llama.cpp works them out of its keys: what the names in tables mean.

Source: llama.cpp ``src/llama-model.cpp`` (load_hparams), ``src/llama-hparams.cpp``. A name of a size that each block has of its own is the
first block's where no block is said, as there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.verify.expressions import compiled
from modelsmith.weights.gguf.verify.model import BLOCK, vocabulary_size
from modelsmith.weights.gguf.verify.needs import needs_of, whole_key

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.verify.expressions import Value

_PER_LAYER = {"head": "attention.head_count", "head_kv": "attention.head_count_kv", "ff": "feed_forward_length"}
_WIDTHS = {"head_k": "attention.key_length", "head_v": "attention.value_length"}
_WINDOWS = {
    "head_k_swa": ("attention.key_length_swa", "head_k"),
    "head_v_swa": ("attention.value_length_swa", "head_v"),
    "rot_swa": ("rope.dimension_count_swa", "rot"),
}
_ROPE_SCALINGS = {"none": 0, "linear": 1, "yarn": 2, "longrope": 3}
_UNKNOWN = -1
_DEEPEST = 20


class Sizes:
    """The sizes of one model, a ``Scope``; each is None where the file alone does not tell it."""

    def __init__(self, gguf: GGUFFile) -> None:
        self.block = 0
        self._metadata = gguf.metadata
        needs = needs_of(gguf.architecture)
        self._let = {} if needs is None else needs.let
        self._seen: dict[tuple[str, int], Value] = {}
        self._depth = 0
        self._shapes: dict[int | None, dict[str, tuple[int, ...]]] = {}
        for tensor in gguf.tensors:
            match = BLOCK.match(tensor.name)
            at, name = (int(match[1]), tensor.name[match.end() :]) if match else (None, tensor.name)
            self._shapes.setdefault(at, {})[name] = tensor.dims

    def value(self, expression: str, block: int = 0) -> Value:
        """Return what an expression is for a block."""
        before, self.block = self.block, block
        try:
            return compiled(expression)(self)
        finally:
            self.block = before

    def name(self, name: str, block: int | None) -> Value:
        """Return what a name or a key is."""
        at = block or 0
        if (name, at) not in self._seen:
            self._seen[name, at] = self._named(name, at)
        return self._seen[name, at]

    def _named(self, name: str, block: int) -> Value:
        if name in self._let and self._depth < _DEEPEST and self._let[name] != name:
            self._depth += 1
            try:
                return self.value(self._let[name], block)
            finally:
                self._depth -= 1
        if name in _PER_LAYER:
            return self._per_layer(name, block)
        if name in _WIDTHS:
            return self._width(name)
        if name in _WINDOWS:
            key, full = _WINDOWS[name]
            return self.key(key, self.name(full, None))
        match name:
            case "vocab":
                return vocabulary_size(self._metadata)
            case "token_types":
                return self.key("tokenizer.ggml.token_type_count", 0)
            case "labels":
                return self.length("classifier.output_labels") or 1
            case "rot":
                return self.key("rope.dimension_count", self.name("head_k", None)) if self.name("head", None) else 0
            case "rope_scaling":
                kind = self._metadata.get(self._whole("rope.scaling.type"), "linear")
                return _ROPE_SCALINGS.get(kind, _UNKNOWN) if isinstance(kind, str) else None
        return self.key(name, 0)

    def key(self, key: str, default: Value) -> Value:
        """Return a key that is one number, or the default where there is none."""
        if not self.has_key(key):
            return default
        value = self._metadata[self._whole(key)]
        return int(value) if isinstance(value, int) else None

    def has_key(self, key: str) -> bool:
        """Return whether there is such a key."""
        return self._whole(key) in self._metadata

    def is_number(self, key: str) -> bool:
        """Return whether there is such a key and it is no list."""
        return self.has_key(key) and not isinstance(self._metadata[self._whole(key)], GGUFArray)

    def item(self, key: str, index: int) -> Value:
        """Return an item of a key, or the key itself where it is one number; there is none behind its end, which counts as 0."""
        value = self._metadata.get(self._whole(key), 0)
        if isinstance(value, GGUFArray):
            value = value[index] if 0 <= index < len(value) else 0
        return int(value) if isinstance(value, int) else None

    def length(self, key: str) -> Value:
        """Return how many items a key has; 0 where it is no list."""
        value = self._metadata.get(self._whole(key))
        return len(value) if isinstance(value, GGUFArray) else 0

    def has_tensor(self, name: str, block: int | None) -> bool:
        """Return whether there is such a tensor, in a block or outside of them."""
        return name in self._shapes.get(block, ())

    def dim(self, name: str, axis: int) -> Value:
        """Return a size of a tensor of this block, or outside of the blocks; None where there is none."""
        dims = self._shapes.get(self.block, {}).get(name) or self._shapes.get(None, {}).get(name)
        return None if dims is None else (*dims, 1, 1, 1)[axis]

    def _whole(self, key: str) -> str:
        return whole_key(self._metadata, key)

    def _width(self, name: str) -> Value:
        """Return the width of a head; without heads it is 0, whatever a key says."""
        width, heads = self.key("embedding_length", 0), self._per_layer("head", 0)
        if not heads or width is None:
            return heads
        return self.key(_WIDTHS[name], width // heads)

    def _per_layer(self, name: str, block: int) -> Value:
        key = _PER_LAYER[name]
        if not self.has_key(key):
            return self._per_layer("head", block) if name == "head_kv" else 0
        return self.item(key, block)
