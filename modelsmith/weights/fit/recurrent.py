"""Layers that keep a state of fixed size instead of every token: which ones, and how large the state is.

Source: llama.cpp ``src/llama-arch.cpp`` (recurrent and hybrid architectures), ``src/llama-hparams.cpp`` (n_embd_r,
n_embd_s), ``src/llama-model.cpp`` (create_memory: which layers have which memory).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.weights.fit.keys import MAX_LAYERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.fit.keys import Keys

RECURRENT = frozenset(("arwkv7", "mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7"))
"""Every layer keeps a state, none a cache of tokens."""

BY_HEADS = frozenset(
    ("bailingmoe3", "granitehybrid", "jamba", "kimi-k3", "kimi-linear", "lfm2", "lfm2moe", "nemotron_h")
) | frozenset(("nemotron_h_moe", "plamo2"))
"""The layers without heads for keys and values keep a state."""

BY_INTERVAL = frozenset(("minimax-01", "qwen35", "qwen35moe", "qwen3next"))
"""All layers but each fourth (or what the file says) keep a state."""

BOTH = frozenset(("falcon-h1",))
"""Every layer keeps a state and a cache."""

WITHOUT_CACHE = frozenset(
    ("bert", "dream", "eurobert", "gemma-embedding", "jina-bert-v2", "jina-bert-v3", "llada", "llada-moe")
) | frozenset(("modern-bert", "neo-bert", "nomic-bert", "nomic-bert-moe", "rnd1", "wavtokenizer-dec"))
"""Models that read their whole input at once and keep nothing."""


@dataclass(frozen=True, slots=True)
class StateSize:
    """How many 32 bit floats a layer keeps of each sequence: ``shift`` of the last tokens, ``state`` of everything before."""

    shift: int
    state: int

    @property
    def nbytes(self) -> int:
        """The bytes of it."""
        return 4 * (self.shift + self.state)


def recurrent_layers(keys: Keys, kv_heads: Sequence[int], feed_forward: Sequence[int]) -> tuple[bool, ...]:
    """Return for each layer whether it keeps a state."""
    architecture, layers = keys.metadata.architecture, len(kv_heads)
    if architecture in RECURRENT | BOTH:
        return (True,) * layers
    if architecture in BY_HEADS:
        plain = architecture.startswith("nemotron_h")
        return tuple(not heads and not (plain and width) for heads, width in zip(kv_heads, feed_forward, strict=True))
    if architecture in BY_INTERVAL:
        listed = keys.value("attention.recurrent_layers")
        if isinstance(listed, list) and len(listed) >= layers:
            return tuple(map(bool, listed[:layers]))
        interval = keys.number("full_attention_interval", 4, least=1, most=MAX_LAYERS)
        return tuple((layer + 1) % interval != 0 for layer in range(layers))
    return (False,) * layers


def state_size(keys: Keys, embedding: int, heads: int) -> StateSize:
    """Return the size of a state of this architecture; raises InvalidGGUF where a key for it is missing."""
    if keys.has("wkv.head_size"):
        size = keys.number("wkv.head_size", least=1, most=4096)
        return StateSize(keys.number("token_shift_count", 2, most=16) * embedding, embedding * size)
    if keys.has("shortconv.l_cache"):
        return StateSize(embedding * (keys.number("shortconv.l_cache", least=1, most=4096) - 1), 0)
    kernel = keys.number("ssm.conv_kernel", 0, most=4096)
    if keys.has("kda.head_dim"):
        size = keys.number("kda.head_dim", least=1, most=4096)
        return StateSize(3 * (kernel - 1 if kernel else 3) * heads * size, size * size * heads)
    if keys.metadata.architecture == "minimax-01":
        size = keys.number("attention.key_length", least=1, most=4096)
        return StateSize(0, size * size * heads)
    inner, state = keys.number("ssm.inner_size", least=1), keys.number("ssm.state_size", least=1)
    groups = keys.number("ssm.group_count", 0, most=4096)
    return StateSize(max(0, kernel - 1) * (inner + 2 * groups * state), state * inner)
