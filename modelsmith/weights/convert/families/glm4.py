"""GLM-4 (the dense models of 2025).

Source: llama.cpp ``conversion/glm.py`` (half of a head is rotated; which tokens begin and end).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint, Unsupported
from modelsmith.weights.convert.families.family import Family, Part

if TYPE_CHECKING:
    from modelsmith.weights.convert.keys import Keys

_END = "<|endoftext|>"
_TOKENS = (("eos", _END), ("eot", "<|user|>"), ("unknown", _END), ("bos", _END))


class Glm4(Family):
    """Norms before and after; gate and up in one tensor."""

    architecture = "glm4"
    tokenizers = ("bpe",)
    parts = Part.table("""
token_embd.weight            model.embed_tokens.weight                          v e
output_norm.weight           model.norm.weight                                  e
output.weight?               lm_head.weight                                     v e
blk.*.attn_norm.weight       model.layers.*.input_layernorm.weight              e
blk.*.attn_q.weight          model.layers.*.self_attn.q_proj.weight             q e
blk.*.attn_k.weight          model.layers.*.self_attn.k_proj.weight             k e
blk.*.attn_v.weight          model.layers.*.self_attn.v_proj.weight             k e
blk.*.attn_q.bias?           model.layers.*.self_attn.q_proj.bias               q
blk.*.attn_k.bias?           model.layers.*.self_attn.k_proj.bias               k
blk.*.attn_v.bias?           model.layers.*.self_attn.v_proj.bias               k
blk.*.attn_output.weight     model.layers.*.self_attn.o_proj.weight             e q
blk.*.post_attention_norm.weight model.layers.*.post_self_attn_layernorm.weight e
blk.*.ffn_norm.weight        model.layers.*.post_attention_layernorm.weight     e
blk.*.ffn_up.weight          model.layers.*.mlp.gate_up_proj.weight             g e
blk.*.ffn_down.weight        model.layers.*.mlp.down_proj.weight                e f
blk.*.post_ffw_norm.weight   model.layers.*.post_mlp_layernorm.weight           e
""")

    def sizes(self) -> dict[str, int]:
        """Add the size of gate and up together."""
        sizes = super().sizes()
        return sizes | {"g": 2 * sizes["f"]}

    def keys(self, keys: Keys) -> None:
        """Add the part of a head that is rotated."""
        super().keys(keys)
        rope = self.config.rope
        if "mrope_section" in rope:
            raise Unsupported(
                f"{self.config.path}: GLM-4V rotates by three positions, which is not converted",
                hint="convert it with llama.cpp's convert_hf_to_gguf.py",
            )
        factor = float(rope.get("partial_rotary_factor") or 0.5)
        keys.whole("*.rope.dimension_count", int(self.head_size * factor))

    def tokenizer_keys(self, keys: Keys) -> None:
        """Name the tokens that begin and end, which its files do not."""
        added = self.checkpoint.table("tokenizer.json").get("added_tokens")
        numbers = {
            token["content"]: token["id"]
            for token in added or ()
            if isinstance(token, dict) and "content" in token and "id" in token
        }
        for role, text in _TOKENS:
            if text not in numbers:
                raise InvalidCheckpoint(
                    f'{self.checkpoint.folder / "tokenizer.json"} has no token "{text}"', hint="fetch the file again"
                )
            key = f"tokenizer.ggml.{role}_token_id"
            if key not in keys:
                keys.whole(key, numbers[text])
