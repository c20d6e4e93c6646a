"""The numbers of well-known models' ``config.json``, and the tensors that a converter makes of them: as data.

Names and shapes of the tensors: llama.cpp ``gguf-py/gguf/constants.py`` and ``src/models/*.cpp``. Each row was checked by
the number of parameters that its publisher gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Named = tuple[str, tuple[int, ...]]

_HUB = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class Experts:
    """A mixture: how many experts, how many of them are used for a token, how wide one is, how many are always used."""

    count: int
    used: int
    width: int
    shared: int = 0
    dense_layers: int = 0


@dataclass(frozen=True, slots=True)
class Latent:
    """Compressed attention: how wide queries and keys are compressed, and a head's parts without and with a position."""

    query: int
    key: int
    plain: int
    turned: int
    value: int


@dataclass(frozen=True, slots=True)
class KnownShape:
    """The numbers of a ``config.json``: hidden_size, intermediate_size, num_hidden_layers, num_attention_heads and so on.

    ``tied``: the output is the embeddings. ``window``: of the layers that look back only so far.
    """

    architecture: str
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    source: str
    head_size: int = 0
    tied: bool = False
    window: int = 0
    experts: Experts | None = None
    latent: Latent | None = None

    @property
    def head(self) -> int:
        """Numbers a head."""
        return self.head_size or self.embedding // self.heads

    def numbers(self) -> dict[str, int]:
        """Return the keys of the architecture that a converter writes, as far as memory depends on them."""
        found = {
            "block_count": self.layers,
            "context_length": self.context,
            "embedding_length": self.embedding,
            "feed_forward_length": self.feed_forward,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "vocab_size": self.vocabulary,
        }
        if self.head_size:
            found |= {"attention.key_length": self.head_size, "attention.value_length": self.head_size}
        if self.window:
            found["attention.sliding_window"] = self.window
        if self.experts:
            found |= {
                "expert_count": self.experts.count,
                "expert_used_count": self.experts.used,
                "expert_feed_forward_length": self.experts.width,
            }
        if self.latent:
            latent = self.latent
            found |= {
                "attention.head_count_kv": 1,
                "attention.key_length": latent.key + latent.turned,
                "attention.value_length": latent.key,
                "attention.key_length_mla": latent.plain + latent.turned,
                "attention.value_length_mla": latent.value,
            }
        return found

    def tensors(self) -> Iterator[Named]:
        """Yield the names and shapes of the tensors that the converter writes."""
        yield "token_embd.weight", (self.embedding, self.vocabulary)
        yield "output_norm.weight", (self.embedding,)
        if not self.tied:
            yield "output.weight", (self.embedding, self.vocabulary)
        if self.architecture == "llama":
            yield "rope_freqs.weight", (self.head // 2,)
        for block in range(self.layers):
            for name, dims in self._block(block):
                yield f"blk.{block}.{name}", dims

    def _block(self, block: int) -> Iterator[Named]:
        yield from ((f"{norm}.weight", (self.embedding,)) for norm in self._norms())
        yield from self._compressed(self.latent) if self.latent else self._attention()
        if self.experts and block >= self.experts.dense_layers:
            yield from self._mixture(self.experts)
        else:
            yield from self._gated("", self.feed_forward)

    def _norms(self) -> tuple[str, ...]:
        if self.architecture == "gemma3":
            return "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"
        return "attn_norm", "post_attention_norm" if self.architecture == "gpt-oss" else "ffn_norm"

    def _attention(self) -> Iterator[Named]:
        rows = {"q": self.heads * self.head, "k": self.kv_heads * self.head, "v": self.kv_heads * self.head}
        for part, wide in rows.items():
            yield f"attn_{part}.weight", (self.embedding, wide)
            if self.architecture in {"qwen2", "gpt-oss"}:
                yield f"attn_{part}.bias", (wide,)
            if self.architecture in {"qwen3", "qwen3moe", "gemma3"} and part != "v":
                yield f"attn_{part}_norm.weight", (self.head,)
        yield "attn_output.weight", (rows["q"], self.embedding)
        if self.architecture == "gpt-oss":
            yield "attn_output.bias", (self.embedding,)
            yield "attn_sinks.weight", (self.heads,)

    def _compressed(self, latent: Latent) -> Iterator[Named]:
        yield "attn_q_a.weight", (self.embedding, latent.query)
        yield "attn_q_a_norm.weight", (latent.query,)
        yield "attn_q_b.weight", (latent.query, self.heads * (latent.plain + latent.turned))
        yield "attn_kv_a_mqa.weight", (self.embedding, latent.key + latent.turned)
        yield "attn_kv_a_norm.weight", (latent.key,)
        yield "attn_k_b.weight", (latent.plain, latent.key, self.heads)
        yield "attn_v_b.weight", (latent.key, latent.value, self.heads)
        yield "attn_output.weight", (self.heads * latent.value, self.embedding)

    def _gated(self, kind: str, inner: int) -> Iterator[Named]:
        yield f"ffn_gate{kind}.weight", (self.embedding, inner)
        yield f"ffn_up{kind}.weight", (self.embedding, inner)
        yield f"ffn_down{kind}.weight", (inner, self.embedding)

    def _mixture(self, experts: Experts) -> Iterator[Named]:
        yield "ffn_gate_inp.weight", (self.embedding, experts.count)
        for name, (width, rows) in self._gated("_exps", experts.width):
            yield name, (width, rows, experts.count)
            if self.architecture == "gpt-oss":
                yield name.replace(".weight", ".bias"), (rows, experts.count)
        if self.architecture == "gpt-oss":
            yield "ffn_gate_inp.bias", (experts.count,)
        if experts.shared:
            yield "exp_probs_b.bias", (experts.count,)
            yield from self._gated("_shexp", experts.shared * experts.width)


def _config(repository: str) -> str:
    return f"{_HUB}{repository}/raw/main/config.json"


_QWEN_32B = KnownShape(
    "qwen2", 64, 5120, 27648, 40, 8, 152064, 131072, _config("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B")
)
_LLAMA_8B = KnownShape("llama", 32, 4096, 14336, 32, 8, 128256, 131072, _config("meta-llama/Llama-3.1-8B-Instruct"))
_LLAMA_70B = KnownShape("llama", 80, 8192, 28672, 64, 8, 128256, 131072, _config("meta-llama/Llama-3.1-70B-Instruct"))


def _distill(base: KnownShape, repository: str) -> KnownShape:
    return replace(base, source=_config(f"deepseek-ai/DeepSeek-R1-{repository}"))


def _r1(*numbers: int, repository: str, architecture: str = "qwen2") -> KnownShape:
    layers, width, inner, heads, kv_heads, vocabulary = numbers
    source = _config(f"deepseek-ai/DeepSeek-R1-{repository}")
    return KnownShape(architecture, layers, width, inner, heads, kv_heads, vocabulary, 131072, source)


def _qwen3(size: str, *numbers: int, tied: bool = False, experts: Experts | None = None) -> KnownShape:
    layers, width, inner, heads, kv_heads = numbers
    kind = "qwen3moe" if experts else "qwen3"
    source = _config(f"Qwen/Qwen3-{size}")
    return KnownShape(
        kind, layers, width, inner, heads, kv_heads, 151936, 40960, source, 128, tied=tied, experts=experts
    )


def _gemma3(size: str, *numbers: int, head: int = 256, window: int = 1024, context: int = 131072) -> KnownShape:
    layers, width, inner, heads, kv_heads = numbers
    source = _config(f"google/gemma-3-{size}-it")
    return KnownShape(
        "gemma3", layers, width, inner, heads, kv_heads, 262144, context, source, head, tied=True, window=window
    )


def _gpt_oss(size: str, layers: int, experts: int) -> KnownShape:
    source, mixture = _config(f"openai/gpt-oss-{size}"), Experts(experts, 4, 2880)
    return KnownShape("gpt-oss", layers, 2880, 2880, 64, 8, 201088, 131072, source, 64, window=128, experts=mixture)


def _llama32(size: str, *numbers: int) -> KnownShape:
    layers, width, inner, heads = numbers
    source = _config(f"meta-llama/Llama-3.2-{size}-Instruct")
    return KnownShape("llama", layers, width, inner, heads, 8, 128256, 131072, source, tied=True)


_R1_671B = KnownShape(
    "deepseek2", 61, 7168, 18432, 128, 128, 129280, 163840, _config("deepseek-ai/DeepSeek-R1"),
    experts=Experts(256, 8, 2048, shared=1, dense_layers=3), latent=Latent(1536, 512, 128, 64, 128),
)  # fmt: skip

SHAPES: dict[str, KnownShape] = {
    "deepseek-r1:1.5b": _r1(28, 1536, 8960, 12, 2, 151936, repository="Distill-Qwen-1.5B"),
    "deepseek-r1:7b": _r1(28, 3584, 18944, 28, 4, 152064, repository="Distill-Qwen-7B"),
    "deepseek-r1:8b": _r1(36, 4096, 12288, 32, 8, 151936, repository="0528-Qwen3-8B", architecture="qwen3"),
    "deepseek-r1:8b-llama-distill": _distill(_LLAMA_8B, "Distill-Llama-8B"),
    "deepseek-r1:14b": _r1(48, 5120, 13824, 40, 8, 152064, repository="Distill-Qwen-14B"),
    "deepseek-r1:32b": _QWEN_32B,
    "deepseek-r1:70b": _distill(_LLAMA_70B, "Distill-Llama-70B"),
    "deepseek-r1:671b": _R1_671B,
    "qwq:32b": replace(_QWEN_32B, context=40960, source=_config("Qwen/QwQ-32B")),
    "qwen3:0.6b": _qwen3("0.6B", 28, 1024, 3072, 16, 8, tied=True),
    "qwen3:1.7b": _qwen3("1.7B", 28, 2048, 6144, 16, 8, tied=True),
    "qwen3:4b": _qwen3("4B", 36, 2560, 9728, 32, 8, tied=True),
    "qwen3:8b": _qwen3("8B", 36, 4096, 12288, 32, 8),
    "qwen3:14b": _qwen3("14B", 40, 5120, 17408, 40, 8),
    "qwen3:30b": _qwen3("30B-A3B", 48, 2048, 6144, 32, 4, experts=Experts(128, 8, 768)),
    "qwen3:32b": _qwen3("32B", 64, 5120, 25600, 64, 8),
    "qwen3:235b": _qwen3("235B-A22B", 94, 4096, 12288, 64, 4, experts=Experts(128, 8, 1536)),
    "gemma3:270m": _gemma3("270m", 18, 640, 2048, 4, 1, window=512, context=32768),
    "gemma3:1b": _gemma3("1b", 26, 1152, 6912, 4, 1, window=512, context=32768),
    "gemma3:4b": _gemma3("4b", 34, 2560, 10240, 8, 4),
    "gemma3:12b": _gemma3("12b", 48, 3840, 15360, 16, 8),
    "gemma3:27b": _gemma3("27b", 62, 5376, 21504, 32, 16, head=128),
    "llama3:8b": replace(_LLAMA_8B, context=8192, source=_config("meta-llama/Meta-Llama-3-8B-Instruct")),
    "llama3:70b": replace(_LLAMA_70B, context=8192, source=_config("meta-llama/Meta-Llama-3-70B-Instruct")),
    "llama3.1:8b": _LLAMA_8B,
    "llama3.1:70b": _LLAMA_70B,
    "llama3.1:405b": KnownShape(
        "llama", 126, 16384, 53248, 128, 8, 128256, 131072, _config("meta-llama/Llama-3.1-405B-Instruct")
    ),
    "llama3.2:1b": _llama32("1B", 16, 2048, 8192, 32),
    "llama3.2:3b": _llama32("3B", 28, 3072, 8192, 24),
    "llama3.3:70b": replace(_LLAMA_70B, source=_config("meta-llama/Llama-3.3-70B-Instruct")),
    "gpt-oss:20b": _gpt_oss("20b", 24, 32),
    "gpt-oss:120b": _gpt_oss("120b", 36, 128),
}
"""The shapes by Ollama's names. ``deepseek-r1:8b`` is what the name means since May 2025, ``8b-llama-distill`` what it meant
before. Of Gemma 3 the text model, without the part for pictures."""

LATEST = {
    "deepseek-r1": "8b",
    "qwq": "32b",
    "qwen3": "8b",
    "gemma3": "4b",
    "llama3": "8b",
    "llama3.1": "8b",
    "llama3.2": "3b",
    "llama3.3": "70b",
    "gpt-oss": "20b",
}
"""What a name without a tag means."""
