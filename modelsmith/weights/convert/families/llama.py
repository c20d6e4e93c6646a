"""Llama 2, 3, 3.1 and 3.2, Mistral and Mixtral, SmolLM 2 and 3, and what else has their tensors.

Source: llama.cpp ``conversion/llama.py`` (order of rows, rope factors, tokens of CodeLlama).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from modelsmith.weights.convert.arranged import Interleaved
from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.rows import Computed, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.weights.convert.keys import Keys

ATTENTION = """
token_embd.weight            model.embed_tokens.weight                   v e
output_norm.weight           model.norm.weight                           e
output.weight?               lm_head.weight                              v e
blk.*.attn_norm.weight       model.layers.*.input_layernorm.weight       e
blk.*.attn_q.weight          model.layers.*.self_attn.q_proj.weight      q e
blk.*.attn_k.weight          model.layers.*.self_attn.k_proj.weight      k e
blk.*.attn_v.weight          model.layers.*.self_attn.v_proj.weight      k e
blk.*.attn_output.weight     model.layers.*.self_attn.o_proj.weight      e q
blk.*.attn_q.bias?           model.layers.*.self_attn.q_proj.bias        q
blk.*.attn_k.bias?           model.layers.*.self_attn.k_proj.bias        k
blk.*.attn_v.bias?           model.layers.*.self_attn.v_proj.bias        k
blk.*.attn_output.bias?      model.layers.*.self_attn.o_proj.bias        e
blk.*.ffn_norm.weight        model.layers.*.post_attention_layernorm.weight e
"""
FEED_FORWARD = """
blk.*.ffn_gate.weight        model.layers.*.mlp.gate_proj.weight         f e
blk.*.ffn_up.weight          model.layers.*.mlp.up_proj.weight           f e
blk.*.ffn_down.weight        model.layers.*.mlp.down_proj.weight         e f
"""
BIASES = """
blk.*.ffn_gate.bias?         model.layers.*.mlp.gate_proj.bias           f
blk.*.ffn_up.bias?           model.layers.*.mlp.up_proj.bias             f
blk.*.ffn_down.bias?         model.layers.*.mlp.down_proj.bias           e
"""
_MIXTRAL = """
blk.*.ffn_gate_inp.weight    model.layers.*.block_sparse_moe.gate.weight         x e
blk.*.ffn_gate_exps.weight   model.layers.*.block_sparse_moe.experts.#.w1.weight f e
blk.*.ffn_down_exps.weight   model.layers.*.block_sparse_moe.experts.#.w2.weight e f
blk.*.ffn_up_exps.weight     model.layers.*.block_sparse_moe.experts.#.w3.weight f e
"""
_CODE_LLAMA = 32016
_WITHOUT_BOS = 49152


class Llama(Family):
    """The model that most others are measured by."""

    architecture = "llama"
    names_heads: ClassVar[bool] = True
    parts = Part.table(ATTENTION + FEED_FORWARD.strip() + BIASES)

    def keys(self, keys: Keys) -> None:
        """Add vocabulary, head and rope sizes."""
        super().keys(keys)
        if self.names_heads:
            keys.whole("*.attention.key_length", self.head_size)
            keys.whole("*.attention.value_length", self.head_size)
        if "*.rope.freq_base" not in keys:
            keys.real("*.rope.freq_base", 10000.0)
        if "*.attention.layer_norm_rms_epsilon" not in keys:
            keys.real("*.attention.layer_norm_rms_epsilon", 1e-6)
        keys.whole("*.vocab_size", self.config.size("vocab_size"))
        keys.whole("*.rope.dimension_count", self.head_size)

    def tokenizer_keys(self, keys: Keys) -> None:
        """Add the infill tokens of CodeLlama, and that small Granite models and SmolLM begin without a token."""
        vocabulary = self.config.size("vocab_size")
        if vocabulary == _CODE_LLAMA:
            for name, number in (("prefix", 32007), ("suffix", 32008), ("middle", 32009), ("eot", 32010)):
                keys.whole(f"tokenizer.ggml.{name}_token_id", number)
        if vocabulary == _WITHOUT_BOS:
            keys.flag("tokenizer.ggml.add_bos_token", False)
        prefix = self.checkpoint.table("tokenizer_config.json").get("add_prefix_space")
        if isinstance(prefix, bool):
            keys.flag("tokenizer.ggml.add_space_prefix", prefix)

    def changed(self, target: str, rows: Rows) -> Rows:
        """Bring queries and keys into the order of llama.cpp's rotation."""
        if target in {"attn_q.weight", "attn_q.bias"}:
            return Interleaved(rows, self.heads)
        if target in {"attn_k.weight", "attn_k.bias"}:
            return Interleaved(rows, self.kv_heads)
        return rows

    def extra(self) -> Iterator[tuple[str, Rows]]:
        """Yield the factors by which Llama 3.1 and later stretch slow rotations."""
        rope = self.config.rope
        if str(rope.get("rope_type")).lower() == "llama3":
            yield "rope_freqs.weight", Computed(llama3_factors(rope, self.head_size))


class Mixtral(Llama):
    """Experts in every block."""

    names_heads = False
    parts = Part.table(ATTENTION + _MIXTRAL.strip())
    merged: ClassVar[Mapping[str, tuple[str, ...]]] = {"gate_up_proj": ("w1", "w3"), "down_proj": ("w2",)}

    def named(self, name: str) -> str | None:
        """Return the name that Mixtral had before Transformers 5, which the table has."""
        known = super().named(name)
        return known and known.replace(".mlp.", ".block_sparse_moe.")


class SmolLM3(Llama):
    """Every fourth block without rotation, which llama.cpp knows by itself."""

    architecture = "smollm3"
    names_heads = False


def llama3_factors(rope: dict[str, object], size: int) -> list[float]:
    """Return the divisor of each frequency, in 32 bit floats as PyTorch computes them."""
    import numpy as np

    def number(key: str, default: float) -> float:
        value = rope.get(key)
        return float(value) if isinstance(value, int | float) else default

    base, factor = number("rope_theta", 10000.0), number("factor", 8.0)
    low, high = number("low_freq_factor", 1.0), number("high_freq_factor", 4.0)
    context = number("original_max_position_embeddings", 8192.0)
    powers = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
    frequencies = np.float32(1) / np.power(np.float32(base), powers)
    factors: list[float] = []
    for frequency in frequencies:
        wave = np.float32(2 * math.pi) / frequency
        if wave < context / high:
            factors.append(1.0)
        elif wave > context / low:
            factors.append(factor)
        else:
            smooth = (np.float32(context) / wave - np.float32(low)) / np.float32(high - low)
            factors.append(float(np.float32(1) / ((np.float32(1) - smooth) / np.float32(factor) + smooth)))
    return factors
