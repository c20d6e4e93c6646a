"""Granite 3 and its models with experts.

Source: llama.cpp ``conversion/granite.py`` (multipliers, experts' gate and up in one tensor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.convert.arranged import Taken
from modelsmith.weights.convert.families.family import Part
from modelsmith.weights.convert.families.llama import ATTENTION, BIASES, FEED_FORWARD, Llama

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.keys import Keys
    from modelsmith.weights.convert.rows import Rows

_MULTIPLIERS = (
    ("*.attention.scale", "attention_multiplier"),
    ("*.embedding_scale", "embedding_multiplier"),
    ("*.residual_scale", "residual_multiplier"),
    ("*.logit_scale", "logits_scaling"),
)


class Granite(Llama):
    """Llama with four multipliers, and without head sizes of its own."""

    architecture = "granite"
    names_heads = False
    parts = Part.table(ATTENTION + FEED_FORWARD.strip() + BIASES)

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.config.values.pop("head_dim", None)

    def keys(self, keys: Keys) -> None:
        """Add the multipliers."""
        super().keys(keys)
        for key, name in _MULTIPLIERS:
            if self.config.get(name):
                keys.real(key, self.config.number(name))


class GraniteMoe(Granite):
    """Experts, with gate and up of all of them in one tensor; some models share one expert."""

    architecture = "granitemoe"
    parts = Part.table(
        ATTENTION
        + """
blk.*.ffn_gate_inp.weight    model.layers.*.block_sparse_moe.router.layer.weight  x e
blk.*.ffn_gate_up.weight     model.layers.*.block_sparse_moe.input_linear.weight  x g e
blk.*.ffn_down_exps.weight   model.layers.*.block_sparse_moe.output_linear.weight x e f
blk.*.shared_gate_up.weight? model.layers.*.shared_mlp.input_linear.weight        t e
blk.*.ffn_down_shexp.weight? model.layers.*.shared_mlp.output_linear.weight       e s
""".strip()
    )

    def sizes(self) -> dict[str, int]:
        """Add the sizes of what stands in one tensor."""
        sizes = super().sizes()
        shared = self.config.optional_size("shared_intermediate_size") or 0
        return sizes | {"g": 2 * sizes["f"], "s": shared, "t": 2 * shared}

    def keys(self, keys: Keys) -> None:
        """Add the size of the shared expert."""
        super().keys(keys)
        shared = self.config.optional_size("shared_intermediate_size")
        if shared is not None:
            keys.whole("*.expert_shared_feed_forward_length", shared)

    def tensors(self) -> Iterator[tuple[str, Rows]]:
        """Yield gate and up apart."""
        sizes = self.sizes()
        for name, rows in super().tensors():
            if name.endswith(".ffn_gate_up.weight"):
                for part, start in (("ffn_gate_exps", 0), ("ffn_up_exps", sizes["f"])):
                    yield name.replace("ffn_gate_up", part), Taken(rows, sizes["g"], range(start, start + sizes["f"]))
            elif name.endswith(".shared_gate_up.weight"):
                for part, start in (("ffn_gate_shexp", 0), ("ffn_up_shexp", sizes["s"])):
                    taken = Taken(rows, sizes["t"], range(start, start + sizes["s"]), flat=True)
                    yield name.replace("shared_gate_up", part), taken
            else:
                yield name, rows
