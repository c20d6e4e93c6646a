"""Gemma, Gemma 2 and the text model of Gemma 3.

Source: llama.cpp ``conversion/gemma.py`` (norms are stored as differences from one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.convert.arranged import Added
from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.families.llama import ATTENTION, FEED_FORWARD

if TYPE_CHECKING:
    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.keys import Keys
    from modelsmith.weights.convert.rows import Rows

_ATTENTION = ATTENTION.replace("output.weight?               lm_head.weight                              v e\n", "")
_TWO_NORMS = _ATTENTION.replace(
    "blk.*.ffn_norm.weight        model.layers.*.post_attention_layernorm.weight e",
    """blk.*.post_attention_norm.weight model.layers.*.post_attention_layernorm.weight e
blk.*.ffn_norm.weight        model.layers.*.pre_feedforward_layernorm.weight  e
blk.*.post_ffw_norm.weight   model.layers.*.post_feedforward_layernorm.weight e""",
)
_HEAD_NORMS = """
blk.*.attn_q_norm.weight     model.layers.*.self_attn.q_norm.weight      h
blk.*.attn_k_norm.weight     model.layers.*.self_attn.k_norm.weight      h
"""
_END_OF_TURN = 107


class Gemma(Family):
    """The first Gemma, and CodeGemma."""

    architecture = "gemma"
    adds_space_prefix = False
    parts = Part.table(_ATTENTION + FEED_FORWARD.strip())

    def named(self, name: str) -> str | None:
        """Leave out an output layer: it is the embedding's, whatever some tools write."""
        return None if name == "lm_head.weight" else super().named(name)

    def keys(self, keys: Keys) -> None:
        """Add the sizes; rotation is as llama.cpp assumes it."""
        config = self.config
        keys.whole("*.context_length", config.size("max_position_embeddings", default=8192))
        keys.whole("*.embedding_length", self.hidden)
        keys.whole("*.block_count", self.blocks)
        keys.whole("*.feed_forward_length", config.size("intermediate_size"))
        keys.whole("*.attention.head_count", self.heads)
        keys.whole("*.attention.head_count_kv", self.kv_heads)
        keys.real("*.attention.layer_norm_rms_epsilon", config.number("rms_norm_eps", default=1e-6))
        keys.whole("*.attention.key_length", self.head_size)
        keys.whole("*.attention.value_length", self.head_size)

    def tokenizer_keys(self, keys: Keys) -> None:
        """Name the token that ends a turn."""
        keys.whole("tokenizer.ggml.eot_token_id", _END_OF_TURN)

    def changed(self, target: str, rows: Rows) -> Rows:
        """Add one to the norms."""
        return Added(rows, 1.0) if target.endswith("norm.weight") else rows


class Gemma2(Gemma):
    """Norms before and after; capped logits; every other block with a sliding window."""

    architecture = "gemma2"
    parts = Part.table(_TWO_NORMS + FEED_FORWARD.strip())

    def keys(self, keys: Keys) -> None:
        """Add caps and window."""
        super().keys(keys)
        keys.real("*.attn_logit_softcapping", self.config.number("attn_logit_softcapping", default=50.0))
        keys.real("*.final_logit_softcapping", self.config.number("final_logit_softcapping", default=30.0))
        keys.whole("*.attention.sliding_window", self.config.size("sliding_window", default=4096))

    def tokenizer_keys(self, keys: Keys) -> None:
        """Add nothing."""


class Gemma3(Gemma2):
    """Norms on queries and keys; two frequencies of rotation. Of multimodal models the text part."""

    architecture = "gemma3"
    parts = Part.table(_TWO_NORMS + FEED_FORWARD.strip() + _HEAD_NORMS + "output.weight? lm_head.weight v e")

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        for key, value in (("num_attention_heads", 8), ("num_key_value_heads", 4), ("head_dim", 256)):
            self.config.values.setdefault(key, value)

    def named(self, name: str) -> str | None:
        """Keep an output layer of its own."""
        return Family.named(self, name)

    def keys(self, keys: Keys) -> None:
        """Add the sizes, with what its configuration class assumes where the file is silent."""
        config, rope = self.config, self.config.rope
        Family.keys(self, keys)
        keys.whole("*.context_length", config.size("max_position_embeddings", default=131072))
        keys.real("*.attention.layer_norm_rms_epsilon", config.number("rms_norm_eps", default=1e-6))
        keys.whole("*.attention.key_length", self.head_size)
        keys.whole("*.attention.value_length", self.head_size)
        whole = rope.get("full_attention") or rope
        keys.real("*.rope.freq_base", whole.get("rope_theta") or 1_000_000.0)
        if "*.rope.freq_base_swa" not in keys:
            keys.real("*.rope.freq_base_swa", 10_000.0)
        if config.get("final_logit_softcapping") is not None:
            keys.real("*.final_logit_softcapping", config.number("final_logit_softcapping"))
        if config.get("sliding_window_pattern") != 1:
            keys.whole("*.attention.sliding_window", config.size("sliding_window", default=4096))
