"""DeepSeek V2 and V3 (with R1 and V3.1): latent attention and experts.

Source: llama.cpp ``conversion/deepseek.py`` (keys and values are taken apart so that keys can be absorbed).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported
from modelsmith.weights.convert.arranged import Taken, Transposed
from modelsmith.weights.convert.families.family import Family, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.keys import Keys
    from modelsmith.weights.convert.rows import Rows

_LAYER = re.compile(r"model\.layers\.(\d+)\.")
_GATING = {"softmax": 1, "sigmoid": 2}


class DeepSeek2(Family):
    """The family that llama.cpp calls deepseek2."""

    architecture = "deepseek2"
    tokenizers = ("bpe",)
    parts = Part.table("""
token_embd.weight            model.embed_tokens.weight                          v e
output_norm.weight           model.norm.weight                                  e
output.weight?               lm_head.weight                                     v e
blk.*.attn_norm.weight       model.layers.*.input_layernorm.weight              e
blk.*.attn_q.weight          model.layers.*.self_attn.q_proj.weight             Q e
blk.*.attn_q_a.weight        model.layers.*.self_attn.q_a_proj.weight           l e
blk.*.attn_q_a_norm.weight   model.layers.*.self_attn.q_a_layernorm.weight      l
blk.*.attn_q_b.weight        model.layers.*.self_attn.q_b_proj.weight           Q l
blk.*.attn_kv_a_mqa.weight   model.layers.*.self_attn.kv_a_proj_with_mqa.weight A e
blk.*.attn_kv_a_norm.weight  model.layers.*.self_attn.kv_a_layernorm.weight     c
blk.*.attn_kv_b.weight       model.layers.*.self_attn.kv_b_proj.weight          B c
blk.*.attn_output.weight     model.layers.*.self_attn.o_proj.weight             e O
blk.*.ffn_norm.weight        model.layers.*.post_attention_layernorm.weight     e
blk.*.ffn_gate.weight        model.layers.*.mlp.gate_proj.weight                f e
blk.*.ffn_up.weight          model.layers.*.mlp.up_proj.weight                  f e
blk.*.ffn_down.weight        model.layers.*.mlp.down_proj.weight                e f
blk.*.ffn_gate_inp.weight    model.layers.*.mlp.gate.weight                     x e
blk.*.exp_probs_b.bias?      model.layers.*.mlp.gate.e_score_correction_bias    x
blk.*.ffn_gate_exps.weight   model.layers.*.mlp.experts.#.gate_proj.weight      m e
blk.*.ffn_up_exps.weight     model.layers.*.mlp.experts.#.up_proj.weight        m e
blk.*.ffn_down_exps.weight   model.layers.*.mlp.experts.#.down_proj.weight      e m
blk.*.ffn_gate_shexp.weight? model.layers.*.mlp.shared_experts.gate_proj.weight s e
blk.*.ffn_up_shexp.weight?   model.layers.*.mlp.shared_experts.up_proj.weight   s e
blk.*.ffn_down_shexp.weight? model.layers.*.mlp.shared_experts.down_proj.weight e s
""")

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        config = self.config
        self._nope = config.size("qk_nope_head_dim")
        self._rotated = config.size("qk_rope_head_dim")
        self._value = config.size("v_head_dim")
        self._rank = config.size("kv_lora_rank", default=512)
        self._query_rank = config.optional_size("q_lora_rank")
        self._feed_forward = config.optional_size("moe_intermediate_size") or config.size("intermediate_size")
        dense = config.get("first_k_dense_replace")
        self._dense = dense if isinstance(dense, int) and dense >= 0 else (0 if self.experts else self.blocks)

    def sizes(self) -> dict[str, int]:
        """Add the sizes of latent attention and of experts."""
        shared = self.config.optional_size("n_shared_experts") if self.config.get("n_shared_experts") else 0
        return super().sizes() | {
            "Q": self.heads * (self._nope + self._rotated),
            "l": self._query_rank or 0,
            "A": self._rank + self._rotated,
            "c": self._rank,
            "B": self.heads * (self._nope + self._value),
            "O": self.heads * self._value,
            "m": self._feed_forward,
            "s": self._feed_forward * (shared or 0),
        }

    def named(self, name: str) -> str | None:
        """Leave out the layers that predict further tokens, and an output layer that is the embedding's."""
        known = super().named(name)
        match = _LAYER.match(known or "")
        if match and int(match[1]) >= self.blocks:
            return None
        return None if known == "lm_head.weight" and self.config.get("tie_word_embeddings") else known

    def applies(self, part: Part, block: int) -> bool:
        """Dense blocks come first; queries are compressed or not."""
        name = part.target.removeprefix("blk.*.")
        if name in {"ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"}:
            return block < self._dense
        if "_exps." in name or "_shexp." in name or name in {"ffn_gate_inp.weight", "exp_probs_b.bias"}:
            return block >= self._dense
        if name == "attn_q.weight":
            return self._query_rank is None
        return self._query_rank is not None or not name.startswith("attn_q_")

    def keys(self, keys: Keys) -> None:
        """Add the sizes of latent attention, as llama.cpp runs it with one head for keys, and of experts."""
        config = self.config
        super().keys(keys)
        keys.whole("*.attention.head_count_kv", 1)
        keys.real("*.attention.layer_norm_rms_epsilon", config.number("rms_norm_eps", default=1e-6))
        keys.whole("*.leading_dense_block_count", self._dense)
        keys.whole("*.vocab_size", config.size("vocab_size"))
        if self._query_rank is not None:
            keys.whole("*.attention.q_lora_rank", self._query_rank)
        keys.whole("*.attention.kv_lora_rank", self._rank)
        keys.whole("*.attention.key_length", self._rank + self._rotated)
        keys.whole("*.attention.value_length", self._rank)
        keys.whole("*.attention.key_length_mla", self._nope + self._rotated)
        keys.whole("*.attention.value_length_mla", self._value)
        keys.whole("*.expert_feed_forward_length", self._feed_forward)
        keys.whole("*.expert_shared_count", config.get("n_shared_experts") or 0)
        for key, name in (("group_count", "n_group"), ("group_used_count", "topk_group")):
            if config.optional_size(name) is not None:
                keys.whole(f"*.expert_{key}", config.size(name))
        scoring = config.get("scoring_func")
        if scoring is not None:
            if scoring not in _GATING:
                raise Unsupported(
                    f"{config.path}: scoring_func is {scoring!r:.40}", hint="known are softmax and sigmoid"
                )
            keys.whole("*.expert_gating_func", _GATING[scoring])
        if config.get("routed_scaling_factor") is not None:
            keys.real("*.expert_weights_scale", config.number("routed_scaling_factor"))
        if config.get("norm_topk_prob"):
            keys.flag("*.expert_weights_norm", True)
        keys.whole("*.rope.dimension_count", self._rotated)
        all_dimensions = config.rope.get("mscale_all_dim")
        if isinstance(all_dimensions, int | float):
            keys.real("*.rope.scaling.yarn_log_multiplier", 0.1 * all_dimensions)

    def tensors(self) -> Iterator[tuple[str, Rows]]:
        """Yield keys (transposed) and values apart."""
        head = self._nope + self._value
        for name, rows in super().tensors():
            if not name.endswith("attn_kv_b.weight"):
                yield name, rows
                continue
            yield name.replace("attn_kv_b", "attn_k_b"), Transposed(Taken(rows, head, range(self._nope)))
            yield name.replace("attn_kv_b", "attn_v_b"), Taken(rows, head, range(self._nope, head))
