"""What a tensor is for, told by its name, and whether it may be quantized at all.

Source: llama.cpp ``src/llama-quant.cpp`` (tensor_get_category, tensor_allows_quantization).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.weights.gguf.read.tensors import Tensor


class Role(Enum):
    """What a tensor is for, as far as the choice of its type depends on it."""

    OUTPUT = auto()
    EMBEDDING = auto()
    ATTENTION_QKV = auto()
    ATTENTION_KV_B = auto()
    ATTENTION_V = auto()
    ATTENTION_K = auto()
    ATTENTION_Q = auto()
    ATTENTION_OUTPUT = auto()
    FFN_UP = auto()
    FFN_GATE = auto()
    FFN_DOWN = auto()
    OTHER = auto()

    @property
    def like_v(self) -> bool:
        """Whether it holds the values of attention, which suffer most from few bits."""
        return self in {Role.ATTENTION_V, Role.ATTENTION_QKV, Role.ATTENTION_KV_B}


_PARTS = {
    "attn_qkv.weight": Role.ATTENTION_QKV,
    "attn_kv_b.weight": Role.ATTENTION_KV_B,
    "attn_v.weight": Role.ATTENTION_V,
    "attn_k.weight": Role.ATTENTION_K,
    "attn_q.weight": Role.ATTENTION_Q,
    "attn_output.weight": Role.ATTENTION_OUTPUT,
    "ffn_up": Role.FFN_UP,
    "ffn_gate": Role.FFN_GATE,
    "ffn_down": Role.FFN_DOWN,
}
_KEPT_NAMES = frozenset(("position_embd.weight", "token_types.weight"))
_KEPT_PARTS = (
    "_norm.weight",
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    *(
        f"time_mix_{part}.weight"
        for part in ("first", "w0", "w1", "w2", "v0", "v1", "v2", "a0", "a1", "a2", "g1", "g2")
    ),
    *(f"time_mix_{part}.weight" for part in ("decay_w1", "decay_w2", "lerp_fused")),
    "attn_rel_b.weight",
    ".position_embd",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
)


def role_of(name: str) -> Role:
    """Return what the tensor of this name is for."""
    if name == "output.weight":
        return Role.OUTPUT
    if name in {"token_embd.weight", "per_layer_token_embd.weight"}:
        return Role.EMBEDDING
    return next((role for part, role in _PARTS.items() if part in name), Role.OTHER)


def may_be_quantized(tensor: Tensor) -> bool:
    """Whether a tensor may be quantized: a matrix, or a stack of them, that is neither tiny nor sensitive."""
    name = tensor.name
    return (
        2 <= len(tensor.dims) <= 3  # llama.cpp fails on four dimensions
        and tensor.elements > 0
        and name.endswith("weight")
        and name not in _KEPT_NAMES
        and not any(part in name for part in _KEPT_PARTS)
    )
