"""Phi-3, Phi-3.5 and Phi-4 (text).

Source: llama.cpp ``conversion/phi.py`` (long and short rope factors, attention factor).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint, Unsupported
from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.rows import Computed, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.convert.keys import Keys


class Phi3(Family):
    """Queries, keys and values in one tensor, gate and up in another."""

    architecture = "phi3"
    parts = Part.table("""
token_embd.weight            model.embed_tokens.weight                       v e
output_norm.weight           model.norm.weight                               e
output.weight?               lm_head.weight                                  v e
blk.*.attn_norm.weight       model.layers.*.input_layernorm.weight           e
blk.*.attn_qkv.weight        model.layers.*.self_attn.qkv_proj.weight        a e
blk.*.attn_output.weight     model.layers.*.self_attn.o_proj.weight          e q
blk.*.ffn_norm.weight        model.layers.*.post_attention_layernorm.weight  e
blk.*.ffn_up.weight          model.layers.*.mlp.gate_up_proj.weight          g e
blk.*.ffn_down.weight        model.layers.*.mlp.down_proj.weight             e f
""")

    def sizes(self) -> dict[str, int]:
        """Add the sizes of what stands in one tensor."""
        sizes = super().sizes()
        return sizes | {"a": sizes["q"] + 2 * sizes["k"], "g": 2 * sizes["f"]}

    @property
    def _original_context(self) -> int:
        return self.config.size("original_max_position_embeddings", default=self._context)

    @property
    def _context(self) -> int:
        return self.config.size("max_position_embeddings", "n_positions")

    @property
    def _rotated(self) -> int:
        factor = float(self.config.rope.get("partial_rotary_factor") or 1.0)
        return int(factor * self.hidden) // self.heads

    def keys(self, keys: Keys) -> None:
        """Add the sizes; a window of 0 tells Phi-4 from the others."""
        config = self.config
        keys.whole("*.context_length", self._context)
        keys.whole("*.rope.scaling.original_context_length", self._original_context)
        keys.whole("*.embedding_length", self.hidden)
        keys.whole("*.feed_forward_length", config.size("intermediate_size"))
        keys.whole("*.block_count", self.blocks)
        keys.whole("*.attention.head_count", self.heads)
        keys.whole("*.attention.head_count_kv", self.kv_heads)
        keys.real("*.attention.layer_norm_rms_epsilon", config.number("rms_norm_eps", default=1e-5))
        keys.whole("*.rope.dimension_count", self._rotated)
        keys.real("*.rope.freq_base", config.rope.get("rope_theta") or 10000.0)
        keys.whole("*.attention.sliding_window", config.optional_size("sliding_window") or 0)
        if self._factors() is not None:
            keys.real("*.rope.scaling.attn_factor", self._attention_factor())

    def _factors(self) -> tuple[list[float], list[float]] | None:
        rope = self.config.rope
        long: list[float] = rope.get("long_factor") or []
        short: list[float] = rope.get("short_factor") or []
        if not long:
            return None
        for factors in (long, short):
            if (
                not isinstance(factors, list)
                or len(factors) != self._rotated // 2
                or not all(isinstance(factor, int | float) for factor in factors)
            ):
                raise InvalidCheckpoint(
                    f"{self.config.path}: rope_scaling needs long_factor and short_factor of {self._rotated // 2} numbers each",
                    hint="fetch the file again",
                )
        return long, short

    def _attention_factor(self) -> float:
        scale = self._context / self._original_context
        kind = str(self.config.rope.get("rope_type")).lower()
        if scale <= 1:
            return 1.0
        if kind in {"su", "longrope"}:
            return math.sqrt(1 + math.log(scale) / math.log(self._original_context))
        if kind == "yarn":
            return 0.1 * math.log(scale) + 1
        raise Unsupported(
            f"{self.config.path}: positions scaled by {kind!r:.40} are not known for this family",
            hint="known are longrope, su and yarn",
        )

    def extra(self) -> Iterator[tuple[str, Rows]]:
        """Yield the factors of long and short texts."""
        factors = self._factors()
        if factors is not None:
            yield "rope_factors_long.weight", Computed(factors[0])
            yield "rope_factors_short.weight", Computed(factors[1])
