"""What the choice of types depends on besides the tensors' names, read from a GGUF's header.

Sources: llama.cpp ``src/llama-hparams.cpp`` (n_gqa), ``src/llama-model.cpp`` (what is a 70B), ``src/llama-quant.cpp``
(init_quantize_state_counters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.quantize.roles import Role, role_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.gguf.metadata import Metadata
    from modelsmith.weights.gguf.read.tensors import Tensor


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the choice of types depends on besides the tensors' names."""

    architecture: str
    blocks: int
    heads_per_kv_head: int
    experts: int
    tied: bool
    like_v: int
    importance: bool

    @classmethod
    def of(cls, metadata: Metadata, tensors: Sequence[Tensor], *, importance: bool) -> ModelFacts:
        """Read them from a GGUF's header; ``importance`` says whether there is an importance matrix."""
        heads = _first(metadata, "attention.head_count")
        kv_heads = _first(metadata, "attention.head_count_kv", heads)
        roles = [role_of(tensor.name) for tensor in tensors]
        return cls(
            architecture=metadata.architecture,
            blocks=_first(metadata, "block_count"),
            heads_per_kv_head=heads // kv_heads if kv_heads else 0,
            experts=_first(metadata, "expert_count"),
            tied=Role.OUTPUT not in roles,
            like_v=sum(role.like_v for role in roles),
            importance=importance,
        )

    @property
    def is_70b(self) -> bool:
        """Whether llama.cpp takes it for one of the models with 80 blocks whose attn_v is small, and worth more bits."""
        if self.blocks != 80:
            return False
        grouped = self.architecture in {"llama", "llama-embed"} and self.heads_per_kv_head != 1
        return grouped or self.architecture in {"deci", "olmo", "qwen2"}


def _first(metadata: Metadata, key: str, default: int = 0) -> int:
    """Return a number of the architecture, or the first of a list of them (one a block)."""
    value: Any = metadata.get(metadata.of_architecture(key), default)
    if isinstance(value, GGUFArray):
        value = value[0] if len(value) else default
    return value if isinstance(value, int) else default
