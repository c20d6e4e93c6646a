"""Well-known models by their shape alone, so that nothing needs to be downloaded to ask whether they fit.

Sources: ``config.json`` of the repositories ``deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B`` (and ``-7B``, ``-14B``, ``-32B``),
``deepseek-ai/DeepSeek-R1-Distill-Llama-8B`` (and ``-70B``), ``deepseek-ai/DeepSeek-R1-0528-Qwen3-8B``; names of the tensors:
llama.cpp ``gguf-py/gguf/constants.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.files.segments import FileStamp
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import Entry, Metadata
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, TENSOR_TYPES, ValueType, padding

if TYPE_CHECKING:
    from collections.abc import Iterator

_F32, _F16 = TENSOR_TYPES[0], TENSOR_TYPES[1]


@dataclass(frozen=True, slots=True)
class KnownShape:
    """The numbers of a ``config.json``: hidden_size, intermediate_size, num_hidden_layers, num_attention_heads and so on."""

    architecture: str
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    source: str

    @property
    def head(self) -> int:
        """Numbers a head."""
        return self.embedding // self.heads

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the names and shapes of the tensors that the converter writes."""
        width, inner, kv_width = self.embedding, self.feed_forward, self.kv_heads * self.head
        yield "token_embd.weight", (width, self.vocabulary)
        yield "output_norm.weight", (width,)
        yield "output.weight", (width, self.vocabulary)
        if self.architecture == "llama":
            yield "rope_freqs.weight", (self.head // 2,)
        for block in range(self.layers):
            name = f"blk.{block}."
            for norm in ("attn_norm", "ffn_norm"):
                yield f"{name}{norm}.weight", (width,)
            for part, rows in (("q", width), ("k", kv_width), ("v", kv_width)):
                yield f"{name}attn_{part}.weight", (width, rows)
                if self.architecture == "qwen2":
                    yield f"{name}attn_{part}.bias", (rows,)
                if self.architecture == "qwen3" and part != "v":
                    yield f"{name}attn_{part}_norm.weight", (self.head,)
            yield f"{name}attn_output.weight", (width, width)
            yield f"{name}ffn_gate.weight", (width, inner)
            yield f"{name}ffn_up.weight", (width, inner)
            yield f"{name}ffn_down.weight", (inner, width)


_HUB = "https://huggingface.co/deepseek-ai/DeepSeek-R1-"

SHAPES: dict[str, KnownShape] = {
    f"deepseek-r1:{tag}": KnownShape(architecture, *numbers, 131072, f"{_HUB}{repository}/raw/main/config.json")
    for tag, architecture, numbers, repository in (
        ("1.5b", "qwen2", (28, 1536, 8960, 12, 2, 151936), "Distill-Qwen-1.5B"),
        ("7b", "qwen2", (28, 3584, 18944, 28, 4, 152064), "Distill-Qwen-7B"),
        ("8b", "qwen3", (36, 4096, 12288, 32, 8, 151936), "0528-Qwen3-8B"),
        ("8b-llama-distill", "llama", (32, 4096, 14336, 32, 8, 128256), "Distill-Llama-8B"),
        ("14b", "qwen2", (48, 5120, 13824, 40, 8, 152064), "Distill-Qwen-14B"),
        ("32b", "qwen2", (64, 5120, 27648, 40, 8, 152064), "Distill-Qwen-32B"),
        ("70b", "llama", (80, 8192, 28672, 64, 8, 128256), "Distill-Llama-70B"),
    )
}
"""The shapes by Ollama's names. ``8b`` is what the name means since May 2025, ``8b-llama-distill`` what it meant before."""


def known_shape(name: str) -> KnownShape:
    """Return the shape of a model by Ollama's name; raises UsageError for one that is not in the table."""
    shape = SHAPES.get(name.strip().lower())
    if shape is None:
        raise UsageError(
            f'the shape of "{name}" is not known here{did_you_mean(name, SHAPES)}',
            hint=f"known are {', '.join(SHAPES)}; for others name a file, a URL or a model",
        )
    return shape


def shape_header(name: str, shape: KnownShape) -> GGUFFile:
    """Return the header that the model's F16 GGUF has, made from its shape; there is no file behind it."""
    numbers = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.embedding,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "vocab_size": shape.vocabulary,
    }
    entries = [Entry.of("general.architecture", ValueType.STRING, shape.architecture)]
    entries += [Entry.of(f"{shape.architecture}.{key}", ValueType.UINT32, value) for key, value in numbers.items()]
    entries.append(Entry.of("general.file_type", ValueType.UINT32, 1))
    tensors, offset = [], 0
    for tensor, dims in shape.tensors():
        kind = _F32 if len(dims) == 1 else _F16
        nbytes = prod(dims) * kind.width
        tensors.append(Tensor(tensor, dims, kind, offset, nbytes))
        offset += nbytes + padding(nbytes, DEFAULT_ALIGNMENT)
    metadata = Metadata({entry.key.decode(): entry for entry in entries})
    stamp = FileStamp(Path(name), offset, 0, 0)
    return GGUFFile(stamp, 3, metadata, tuple(tensors), DEFAULT_ALIGNMENT, 0)


def shape_model(name: str, quantization: str = "Q4_K_M") -> FitModel:
    """Return a known model in a quantization, with the sizes that `modelsmith gguf quantize` would give its tensors."""
    return quantized_model((shape_header(name, known_shape(name)),), name, quantization)


def quantized_model(parts: tuple[GGUFFile, ...], name: str, quantization: str) -> FitModel:
    """Return a model as it would be in another quantization; raises what ``plan_quantize`` raises."""
    from modelsmith.weights.quantize.plan import plan_quantize
    from modelsmith.weights.quantize.wishes import Wishes

    plan = plan_quantize(parts, Wishes.of(quantization, allow_requantize=True))
    return replace(FitModel.of_plan(plan, name), file_type=quantization)
