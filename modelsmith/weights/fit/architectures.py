"""What an architecture keeps of a conversation: one row each. An architecture that is not here keeps every token in every layer.

Sources: llama.cpp ``src/models/*.cpp`` (load_arch_hparams: sliding window and its pattern), ``src/llama-hparams.cpp``
(set_swa_pattern), ``src/llama-arch.cpp`` (recurrent and hybrid architectures), ``src/llama-model.cpp`` (create_memory: which
layers have which memory). phi3 and the first Mistral have a window in their metadata that llama.cpp does not look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Memory(StrEnum):
    """What the layers keep: of each token, or as a state of fixed size."""

    TOKENS = "every layer keeps a cache of tokens"
    STATE = "every layer keeps a state, none a cache of tokens"
    BY_HEADS = "the layers without heads for keys and values keep a state"
    BY_INTERVAL = "all layers but each fourth or eighth (or what the file says) keep a state"
    BOTH = "every layer keeps a state and a cache"
    NOTHING = "the whole input is read at once, and nothing is kept"


@dataclass(frozen=True, slots=True)
class WindowRule:
    """One of ``period`` layers looks at everything: the last, or with ``dense_first`` the first of them.

    ``period`` 0: none does, whatever pattern the file has.
    ``window`` holds where the file names none; 0 means that without the key there is no window at all. ``needs_key``: it does
    not hold then either. ``fixed``: the key is only asked whether there is a window. ``layers``: only models with this many
    layers have one. A pattern in the file, a period or a list of truths, replaces ``period``.
    """

    period: int
    window: int = 0
    dense_first: bool = False
    fixed: bool = False
    needs_key: bool = False
    layers: int = 0


@dataclass(frozen=True, slots=True)
class Architecture:
    """What is special about an architecture.

    ``window``: which layers look back only so many tokens. ``predicts_without_cache``: the layers that predict further tokens
    have no cache. ``own_caches``: how many layers have a cache, the later ones use theirs (0: all have). ``one_part_a_layer``: a
    layer with a feed-forward part has neither cache nor state. ``square_state``: a state is a square of the length of a key.
    ``interval``: where layers keep a state by interval, each how many-th has a cache, unless the file says it.
    """

    memory: Memory = Memory.TOKENS
    window: WindowRule | None = None
    predicts_without_cache: bool = False
    own_caches: int = 0
    one_part_a_layer: bool = False
    square_state: bool = False
    interval: int = 4


ARCHITECTURES: dict[str, Architecture] = {
    "afmoe": Architecture(window=WindowRule(4)),
    "arwkv7": Architecture(Memory.STATE),
    "bailingmoe3": Architecture(Memory.BY_HEADS),
    "bert": Architecture(Memory.NOTHING),
    "cohere2": Architecture(window=WindowRule(4)),
    "cohere2moe": Architecture(window=WindowRule(4, dense_first=True)),
    "deepseek32": Architecture(predicts_without_cache=True),
    "dream": Architecture(Memory.NOTHING),
    "eurobert": Architecture(Memory.NOTHING),
    "exaone-moe": Architecture(window=WindowRule(4, 128)),
    "exaone4": Architecture(window=WindowRule(4, 4096, layers=64)),
    "falcon-h1": Architecture(Memory.BOTH),
    "gemma-embedding": Architecture(Memory.NOTHING, window=WindowRule(6)),
    "gemma2": Architecture(window=WindowRule(2, 4096)),
    "gemma3": Architecture(window=WindowRule(6)),
    "gemma3n": Architecture(window=WindowRule(5), own_caches=20),
    "gemma4": Architecture(window=WindowRule(6)),
    "glm-dsa": Architecture(predicts_without_cache=True),
    "gpt-oss": Architecture(window=WindowRule(2)),
    "granite_swa": Architecture(window=WindowRule(4)),
    "granitehybrid": Architecture(Memory.BY_HEADS),
    "hy_v3": Architecture(predicts_without_cache=True),
    "jamba": Architecture(Memory.BY_HEADS),
    "jina-bert-v2": Architecture(Memory.NOTHING),
    "jina-bert-v3": Architecture(Memory.NOTHING),
    "kimi-k3": Architecture(Memory.BY_HEADS),
    "kimi-linear": Architecture(Memory.BY_HEADS),
    "laguna": Architecture(window=WindowRule(4, dense_first=True)),
    "lfm2": Architecture(Memory.BY_HEADS, window=WindowRule(0)),
    "lfm2moe": Architecture(Memory.BY_HEADS),
    "llada": Architecture(Memory.NOTHING),
    "llada-moe": Architecture(Memory.NOTHING),
    "llama4": Architecture(window=WindowRule(4, 8192, fixed=True)),
    "mamba": Architecture(Memory.STATE),
    "mamba2": Architecture(Memory.STATE),
    "mellum": Architecture(window=WindowRule(4)),
    "mimo2": Architecture(window=WindowRule(6), predicts_without_cache=True),
    "minimax-01": Architecture(Memory.BY_INTERVAL, square_state=True, interval=8),
    "modern-bert": Architecture(Memory.NOTHING, window=WindowRule(3, dense_first=True)),
    "muse-glimmer": Architecture(window=WindowRule(4)),
    "nemotron_h": Architecture(Memory.BY_HEADS, one_part_a_layer=True),
    "nemotron_h_moe": Architecture(Memory.BY_HEADS, one_part_a_layer=True),
    "neo-bert": Architecture(Memory.NOTHING),
    "nomic-bert": Architecture(Memory.NOTHING),
    "nomic-bert-moe": Architecture(Memory.NOTHING),
    "olmo2": Architecture(window=WindowRule(4)),
    "plamo2": Architecture(Memory.BY_HEADS),
    "plamo3": Architecture(window=WindowRule(8)),
    "qwen35": Architecture(Memory.BY_INTERVAL, predicts_without_cache=True),
    "qwen35moe": Architecture(Memory.BY_INTERVAL, predicts_without_cache=True),
    "qwen3next": Architecture(Memory.BY_INTERVAL, predicts_without_cache=True),
    "rnd1": Architecture(Memory.NOTHING),
    "rwkv6": Architecture(Memory.STATE),
    "rwkv6qwen2": Architecture(Memory.STATE),
    "rwkv7": Architecture(Memory.STATE),
    "smallthinker": Architecture(window=WindowRule(4, 4096, dense_first=True, fixed=True, needs_key=True)),
    "step35": Architecture(window=WindowRule(4), predicts_without_cache=True),
    "wavtokenizer-dec": Architecture(Memory.NOTHING),
}
_USUAL = Architecture()


def facts_of(architecture: str) -> Architecture:
    """Return what is special about an architecture, nothing for one that is not in the table."""
    return ARCHITECTURES.get(architecture, _USUAL)
