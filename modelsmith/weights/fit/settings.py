"""What a model is run with: context, cache, batches, devices.

Sources: llama.cpp ``common/common.h`` (defaults), ``src/llama-context.cpp`` (padding of the context, bounds of batches),
``ggml/src/ggml.c`` (block sizes of the types of a cache); Ollama ``llm/llama_server.go`` (each request has its context).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.weights.gguf.types import TENSOR_TYPES, TensorType

_PAD = 256
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
CACHE_NAMES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
CACHE_TYPES: dict[str, TensorType] = {
    kind.name.lower(): kind for kind in TENSOR_TYPES.values() if kind.name.lower() in CACHE_NAMES
}
"""The types that a cache of keys and values can have, by the names that Ollama and llama.cpp know them by."""


def cache_type(name: str) -> TensorType:
    """Return the type of a cache by its name; raises UsageError for one that llama.cpp has not."""
    kind = CACHE_TYPES.get(name.strip().lower())
    if kind is None:
        raise UsageError(
            f'a cache cannot be of type "{name}"{did_you_mean(name, CACHE_NAMES)}',
            hint=f"one of {', '.join(CACHE_NAMES)}; keys and values may differ: q8_0,f16",
        )
    return kind


def parse_context(text: str) -> int:
    """Return the tokens of ``8192``, ``8k`` (8192) or ``128K``; raises UsageError."""
    tokens = _number(text, 1024)
    if not 1 <= tokens <= 1 << 31:
        raise UsageError(f'"{text}" is no context length', hint="write 4096, 8k or 128k; k is 1024 tokens")
    return tokens


def parse_memory(text: str) -> int:
    """Return the bytes of ``24G``: 24 GiB, for so the memory of cards is counted; raises UsageError."""
    size = _number(text, 1024)
    if not 1 << 20 <= size <= 1 << 60:
        raise UsageError(f'"{text}" is no size of a memory', hint="write 24G or 6144M; G is 1024 x 1024 x 1024 bytes")
    return size


def _number(text: str, unit: int) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None or len(match[1]) > 20:
        return 0
    return int(float(match[1]) * unit ** _POWERS[match[2].lower()])


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a model is run. ``context`` is what one request can use, ``parallel`` how many run at once.

    ``outputs`` is for how many tokens of a batch the scores are computed: servers need one a request (None), older versions
    of llama.cpp took memory for all. ``cpu_experts`` is how many layers leave their experts in main memory, from the first.
    ``gpu_layers`` None: as many as fit. ``mapped``: weights are mapped from the file, not copied.
    """

    context: int = 4096
    keys: str = "f16"
    values: str = "f16"
    flash_attention: bool = True
    batch: int = 2048
    ubatch: int = 512
    parallel: int = 1
    whole_window: bool = False
    gpu_layers: int | None = None
    cpu_experts: int = 0
    tensor_split: tuple[float, ...] = ()
    outputs: int | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what llama.cpp refuses."""
        kind = cache_type(self.values)
        cache_type(self.keys)
        if kind.block > 1 and not self.flash_attention:
            raise UsageError(
                f"values in {self.values} need flash attention",
                hint="leave out --no-flash-attention, or --kv-type q8_0,f16",
            )
        for name, number, most in (
            ("batch", self.batch, 1 << 20),
            ("ubatch", self.ubatch, 1 << 20),
            ("parallel", self.parallel, 256),
        ):
            if not 1 <= number <= most:
                raise UsageError(f"{name} is {number}, and must be within 1 and {most}")

    @property
    def cells(self) -> int:
        """How many tokens the cache of one request holds: the context, padded as llama.cpp does."""
        whole = _padded(self.context * self.parallel)
        return _padded(whole // self.parallel)

    @property
    def tokens(self) -> int:
        """How many tokens are computed at once."""
        return min(self.ubatch, self.batch, self.cells * self.parallel)

    def window_cells(self, window: int) -> int:
        """Return how many tokens a layer with a sliding window keeps of one request."""
        if self.whole_window:
            return self.cells
        return _padded(min(self.cells, window + self.tokens))


def _padded(tokens: int) -> int:
    return -(-tokens // _PAD) * _PAD
