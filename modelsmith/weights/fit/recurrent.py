"""Layers that keep a state of fixed size instead of every token: which ones, and how large the state is.

Source: llama.cpp ``src/llama-hparams.cpp`` (n_embd_r, n_embd_s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.weights.fit.architectures import Memory, facts_of
from modelsmith.weights.fit.keys import MAX_LAYERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.fit.keys import Keys


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
    facts, layers = facts_of(keys.metadata.architecture), len(kv_heads)
    if facts.memory in {Memory.STATE, Memory.BOTH}:
        return (True,) * layers
    if facts.memory is Memory.BY_HEADS:
        plain = facts.one_part_a_layer
        return tuple(not heads and not (plain and width) for heads, width in zip(kv_heads, feed_forward, strict=True))
    if facts.memory is Memory.BY_INTERVAL:
        listed = keys.value("attention.recurrent_layers")
        if isinstance(listed, list) and len(listed) >= layers:
            return tuple(map(bool, listed[:layers]))
        interval = keys.number("full_attention_interval", facts.interval, least=1, most=MAX_LAYERS)
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
    if facts_of(keys.metadata.architecture).square_state:
        size = keys.number("attention.key_length", least=1, most=4096)
        return StateSize(0, size * size * heads)
    inner, state = keys.number("ssm.inner_size", least=1), keys.number("ssm.state_size", least=1)
    groups = keys.number("ssm.group_count", 0, most=4096)
    return StateSize(max(0, kernel - 1) * (inner + 2 * groups * state), state * inner)
