"""How the modules of a checkpoint are called in a GGUF, and which of them llama.cpp stores in another order of rows.

Sources: llama.cpp ``gguf-py/gguf/tensor_mapping.py`` (names), ``conversion/llama.py`` and the families that build on it
(undo_permute).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYER = re.compile(r"(?:.*\.)?(?:layers|layer|h)\.(\d{1,5})\.(.+)")

MODULES: Mapping[str, str] = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.dense": "attn_output",
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.q_a_proj": "attn_q_a",
    "self_attn.q_b_proj": "attn_q_b",
    "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.gate": "ffn_gate_inp",
    "mlp.router": "ffn_gate_inp",
    "block_sparse_moe.gate": "ffn_gate_inp",
    "mlp.shared_expert.gate_proj": "ffn_gate_shexp",
    "mlp.shared_expert.up_proj": "ffn_up_shexp",
    "mlp.shared_expert.down_proj": "ffn_down_shexp",
    "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
    "mlp.shared_experts.up_proj": "ffn_up_shexp",
    "mlp.shared_experts.down_proj": "ffn_down_shexp",
    "shared_mlp.input_linear": "ffn_up_shexp",
    "shared_mlp.output_linear": "ffn_down_shexp",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
}
"""Modules of a layer, and their names in a block."""

_TOP: Mapping[str, str] = {
    "embed_tokens": "token_embd",
    "word_embeddings": "token_embd",
    "lm_head": "output",
}

PERMUTED = frozenset(("llama", "granite", "granitemoe", "smollm3", "minicpm", "deci", "arcee", "llada", "nanbeige"))
"""Architectures whose queries and keys have their rows in llama.cpp's order."""


def gguf_name(module: str) -> str | None:
    """Return the name of a module's tensor in a GGUF; None for one that has no counterpart of its own."""
    match = _LAYER.fullmatch(module)
    if match is None:
        found = _TOP.get(module.rpartition(".")[2])
        return f"{found}.weight" if found else None
    found = MODULES.get(match[2])
    return f"blk.{int(match[1])}.{found}.weight" if found else None


def heads_of(tensor: str, architecture: str, heads: int, key_heads: int) -> int:
    """Return by how many heads the rows of a tensor are put into llama.cpp's order; 0 where they stay as they are."""
    if architecture not in PERMUTED:
        return 0
    return heads if tensor.endswith(".attn_q.weight") else key_heads if tensor.endswith(".attn_k.weight") else 0
