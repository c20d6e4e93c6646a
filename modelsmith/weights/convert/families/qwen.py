"""Qwen2 and 2.5, Qwen3, and their models with experts.

Source: llama.cpp ``conversion/qwen.py``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported
from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.families.llama import ATTENTION, FEED_FORWARD

if TYPE_CHECKING:
    from modelsmith.weights.convert.keys import Keys

_NORMS = """
blk.*.attn_q_norm.weight     model.layers.*.self_attn.q_norm.weight      h
blk.*.attn_k_norm.weight     model.layers.*.self_attn.k_norm.weight      h
"""
_EXPERTS = """
blk.*.ffn_gate_inp.weight    model.layers.*.mlp.gate.weight                  x e
blk.*.ffn_gate_exps.weight   model.layers.*.mlp.experts.#.gate_proj.weight   m e
blk.*.ffn_up_exps.weight     model.layers.*.mlp.experts.#.up_proj.weight     m e
blk.*.ffn_down_exps.weight   model.layers.*.mlp.experts.#.down_proj.weight   e m
"""
_SHARED = """
blk.*.ffn_gate_inp_shexp.weight model.layers.*.mlp.shared_expert_gate.weight       1 e
blk.*.ffn_gate_shexp.weight  model.layers.*.mlp.shared_expert.gate_proj.weight     s e
blk.*.ffn_up_shexp.weight    model.layers.*.mlp.shared_expert.up_proj.weight       s e
blk.*.ffn_down_shexp.weight  model.layers.*.mlp.shared_expert.down_proj.weight     e s
"""
_POOLING = {"mean": 1, "cls": 2, "lasttoken": 3}


def pooling(family: Family, keys: Keys) -> None:
    """Add how embeddings of tokens become one, where the folder is one of sentence-transformers."""
    modules = family.checkpoint.json("modules.json")
    for module in modules if isinstance(modules, list) else ():
        if not isinstance(module, dict) or not str(module.get("type")).endswith("Pooling"):
            continue
        folder = str(module.get("path"))
        if "/" in folder or folder.startswith("."):
            return
        text = family.checkpoint.text(f"{folder}/config.json")
        said = json.loads(text) if text else {}
        name = next(
            (
                name
                for name in _POOLING
                if said.get(
                    f"pooling_mode_{name}{'' if name == 'lasttoken' else '_token' if name == 'cls' else '_tokens'}"
                )
            ),
            said.get("pooling_mode"),
        )
        if name in _POOLING:
            keys.whole("*.pooling_type", _POOLING[name])
        return


class Qwen2(Family):
    """Biases on queries, keys and values."""

    architecture = "qwen2"
    parts = Part.table(ATTENTION + FEED_FORWARD.strip())

    def keys(self, keys: Keys) -> None:
        """Add how a model for embeddings pools."""
        super().keys(keys)
        pooling(self, keys)


class Qwen3(Qwen2):
    """Norms on queries and keys."""

    architecture = "qwen3"
    parts = Part.table(ATTENTION + FEED_FORWARD.strip() + _NORMS)


class Qwen2Moe(Family):
    """Experts in every block, and one that all tokens share."""

    architecture = "qwen2moe"
    tokenizers = ("bpe",)
    parts = Part.table(ATTENTION + _EXPERTS.strip() + _SHARED)

    def sizes(self) -> dict[str, int]:
        """Add the sizes of experts."""
        return super().sizes() | {
            "m": self.config.size("moe_intermediate_size"),
            "s": self.config.optional_size("shared_expert_intermediate_size") or 0,
        }

    def keys(self, keys: Keys) -> None:
        """Add the sizes of experts; raises Unsupported where some blocks have none."""
        super().keys(keys)
        dense, step = self.config.get("mlp_only_layers") or [], self.config.get("decoder_sparse_step") or 1
        if dense or step != 1:
            raise Unsupported(
                f"{self.config.path}: some blocks have no experts (mlp_only_layers {dense!s:.60}, decoder_sparse_step {step!s:.20}), "
                f"and llama.cpp's {self.architecture} has them in every block",
                hint="no GGUF of such a model can be run; serve it with Transformers or vLLM",
            )
        keys.whole("*.expert_feed_forward_length", self.config.size("moe_intermediate_size"))
        shared = self.config.optional_size("shared_expert_intermediate_size")
        if shared is not None:
            keys.whole("*.expert_shared_feed_forward_length", shared)


class Qwen3Moe(Qwen2Moe):
    """Experts in every block, none shared; norms on queries and keys."""

    architecture = "qwen3moe"
    parts = Part.table(ATTENTION + _EXPERTS.strip() + _NORMS)
