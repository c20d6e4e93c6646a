"""gpt-oss, with its experts in MXFP4 as OpenAI publishes them, or in BF16 as finetunes have them.

Source: llama.cpp ``conversion/gpt_oss.py`` (rows of gate and up alternate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.convert.arranged import Columns, Taken, Transposed
from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.rows import MicroScaled, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.convert.keys import Keys


class GptOss(Family):
    """Attention sinks, and biases everywhere."""

    architecture = "gpt-oss"
    tokenizers = ("bpe",)
    parts = Part.table("""
token_embd.weight            model.embed_tokens.weight                        v e
output_norm.weight           model.norm.weight                                e
output.weight?               lm_head.weight                                   v e
blk.*.attn_norm.weight       model.layers.*.input_layernorm.weight            e
blk.*.attn_q.weight          model.layers.*.self_attn.q_proj.weight           q e
blk.*.attn_k.weight          model.layers.*.self_attn.k_proj.weight           k e
blk.*.attn_v.weight          model.layers.*.self_attn.v_proj.weight           k e
blk.*.attn_output.weight     model.layers.*.self_attn.o_proj.weight           e q
blk.*.attn_q.bias            model.layers.*.self_attn.q_proj.bias             q
blk.*.attn_k.bias            model.layers.*.self_attn.k_proj.bias             k
blk.*.attn_v.bias            model.layers.*.self_attn.v_proj.bias             k
blk.*.attn_output.bias       model.layers.*.self_attn.o_proj.bias             e
blk.*.attn_sinks.weight      model.layers.*.self_attn.sinks                   n
blk.*.post_attention_norm.weight model.layers.*.post_attention_layernorm.weight e
blk.*.ffn_gate_inp.weight    model.layers.*.mlp.router.weight                 x e
blk.*.ffn_gate_inp.bias      model.layers.*.mlp.router.bias                   x
blk.*.gate_up_blocks?        model.layers.*.mlp.experts.gate_up_proj_blocks   x g b 16
blk.*.gate_up_scales?        model.layers.*.mlp.experts.gate_up_proj_scales   x g b
blk.*.down_blocks?           model.layers.*.mlp.experts.down_proj_blocks      x e d 16
blk.*.down_scales?           model.layers.*.mlp.experts.down_proj_scales      x e d
blk.*.gate_up?               model.layers.*.mlp.experts.gate_up_proj          x e g
blk.*.down?                  model.layers.*.mlp.experts.down_proj             x f e
blk.*.gate_up_bias           model.layers.*.mlp.experts.gate_up_proj_bias     x g
blk.*.ffn_down_exps.bias     model.layers.*.mlp.experts.down_proj_bias        x e
""")

    def sizes(self) -> dict[str, int]:
        """Add the sizes of experts and of their blocks."""
        sizes = super().sizes()
        blocks = {"b": sizes["e"] // 32, "d": sizes["f"] // 32}
        return sizes | blocks | {"g": 2 * sizes["f"], "n": self.heads}

    def keys(self, keys: Keys) -> None:
        """Add window and size of experts."""
        super().keys(keys)
        keys.whole("*.attention.sliding_window", self.config.size("sliding_window", default=128))
        keys.whole("*.expert_feed_forward_length", self.config.size("intermediate_size"))

    def tensors(self) -> Iterator[tuple[str, Rows]]:
        """Yield gate, up and down of the experts, each in one tensor."""
        width = 2 * self.config.size("intermediate_size")
        blocks: dict[str, Rows] = {}
        for name, rows in super().tensors():
            start, _, part = name.rpartition(".")
            if part == "gate_up_bias":
                yield f"{start}.ffn_gate_exps.bias", Columns(rows, 0, 2)
                yield f"{start}.ffn_up_exps.bias", Columns(rows, 1, 2)
            elif part.endswith("_blocks"):
                blocks[f"{start}.{part.removesuffix('_blocks')}"] = rows
            elif part in {"gate_up_scales", "down_scales"}:
                packed = MicroScaled(blocks.pop(f"{start}.{part.removesuffix('_scales')}"), rows)
                yield from self._experts(start, part, packed, width)
            elif part in {"gate_up", "down"}:
                yield from self._experts(start, part, Transposed(rows), width)
            else:
                yield name, rows

    def _experts(self, start: str, part: str, rows: Rows, width: int) -> Iterator[tuple[str, Rows]]:
        if part.startswith("down"):
            yield f"{start}.ffn_down_exps.weight", rows
            return
        yield f"{start}.ffn_gate_exps.weight", Taken(rows, width, range(0, width, 2))
        yield f"{start}.ffn_up_exps.weight", Taken(rows, width, range(1, width, 2))
