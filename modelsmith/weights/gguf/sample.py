"""A small GGUF that is complete enough for llama.cpp to load: for tests, documentation and benchmarks.

Source of the required keys and tensors: llama.cpp ``src/llama-model.cpp`` (llama, qwen2), ``src/llama-vocab.cpp``.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.tokens.bpe import byte_letters
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, SCALARS, TENSOR_TYPES, ValueType

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

DEEPSEEK_TOKENS = (
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<think>",
    "</think>",
)
_F32, _F16 = TENSOR_TYPES[0], TENSOR_TYPES[1]
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
_TILE = 1 << 15  # numbers that the weights are cut from


@dataclass(frozen=True, slots=True)
class SampleShape:
    """The size of a sample's layers, in numbers."""

    blocks: int = 2
    embedding: int = 64
    feed_forward: int = 128
    heads: int = 4


def write_sample(
    path: str | os.PathLike[str],
    *,
    chat_template: str | None = None,
    architecture: str = "llama",
    special_tokens: Sequence[str] = DEEPSEEK_TOKENS,
    shape: SampleShape = SampleShape(),
    metadata: Mapping[str, Entry | None] | None = None,
    seed: int = 0,
) -> Path:
    """Write a small GGUF to ``path`` and return the path. The same arguments give the same bytes.

    The first special token is BOS, the second EOS. ``metadata`` adds, replaces or (None) removes keys.
    """
    entries = {entry.key.decode(): entry for entry in _entries(architecture, special_tokens, shape, chat_template)}
    for key, entry in (metadata or {}).items():
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry
    alignment = entries["general.alignment"].decode() if "general.alignment" in entries else DEFAULT_ALIGNMENT
    vocabulary = 256 + len(special_tokens)
    target = Path(path)
    with target.open("wb") as file:
        for segment in packed(tuple(entries.values()), _weights(architecture, vocabulary, shape, seed), alignment):
            file.write(segment if isinstance(segment, bytes) else segment.read())
    return target


def array_entry(key: str, type_: int, items: Sequence[str] | Sequence[int] | Sequence[float]) -> Entry:
    """Return the entry of an array."""
    if type_ == ValueType.STRING:
        texts = [str(item).encode() for item in items]
        data = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    else:
        data = struct.pack(f"<{len(items)}{SCALARS[type_]}", *items)
    return Entry(key.encode(), ValueType.ARRAY, data, type_, len(items))


def byte_tokens() -> list[str]:
    """Return the texts by which GPT-2's byte-level vocabulary writes the bytes 0 to 255."""
    letters = byte_letters()
    return [letters[byte] for byte in range(256)]


def _entries(
    architecture: str, special_tokens: Sequence[str], shape: SampleShape, chat_template: str | None
) -> Iterator[Entry]:
    def text(key: str, value: str) -> Entry:
        return Entry.of(key, ValueType.STRING, value)

    def uint(key: str, value: int) -> Entry:
        return Entry.of(key, ValueType.UINT32, value)

    yield text("general.architecture", architecture)
    yield text("general.type", "model")
    yield text("general.name", "modelsmith sample")
    yield uint(f"{architecture}.block_count", shape.blocks)
    yield uint(f"{architecture}.context_length", 131_072)
    yield uint(f"{architecture}.embedding_length", shape.embedding)
    yield uint(f"{architecture}.feed_forward_length", shape.feed_forward)
    yield uint(f"{architecture}.attention.head_count", shape.heads)
    yield uint(f"{architecture}.attention.head_count_kv", shape.heads)
    yield Entry.of(f"{architecture}.attention.layer_norm_rms_epsilon", ValueType.FLOAT32, 1e-5)
    yield uint(f"{architecture}.rope.dimension_count", shape.embedding // shape.heads)
    yield uint("general.file_type", 1)
    yield text("tokenizer.ggml.model", "gpt2")
    yield text("tokenizer.ggml.pre", "default")
    tokens = byte_tokens() + list(special_tokens)
    yield array_entry("tokenizer.ggml.tokens", ValueType.STRING, tokens)
    # thinking tags are ordinary text to a model's users: a control token would not be printed
    kinds = [_USER_DEFINED if "think" in token else _CONTROL for token in special_tokens]
    yield array_entry("tokenizer.ggml.token_type", ValueType.INT32, [_NORMAL] * 256 + kinds)
    yield array_entry("tokenizer.ggml.merges", ValueType.STRING, ["t h", "h e", "i n"])
    for role, position in (("bos", 0), ("eos", 1)):
        if position < len(special_tokens):
            yield uint(f"tokenizer.ggml.{role}_token_id", 256 + position)
    if chat_template is not None:
        yield text("tokenizer.chat_template", chat_template)
    yield uint("general.quantization_version", 2)


def _shapes(architecture: str, vocabulary: int, shape: SampleShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner = shape.embedding, shape.feed_forward
    yield "token_embd.weight", (width, vocabulary)
    for block in range(shape.blocks):
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{block}.{name}.weight", (width,)
        for name in ("attn_q", "attn_k", "attn_v"):
            yield f"blk.{block}.{name}.weight", (width, width)
            if architecture == "qwen2":
                yield f"blk.{block}.{name}.bias", (width,)
        yield f"blk.{block}.attn_output.weight", (width, width)
        yield f"blk.{block}.ffn_gate.weight", (width, inner)
        yield f"blk.{block}.ffn_up.weight", (width, inner)
        yield f"blk.{block}.ffn_down.weight", (inner, width)
    yield "output_norm.weight", (width,)
    yield "output.weight", (width, vocabulary)


def _weights(architecture: str, vocabulary: int, shape: SampleShape, seed: int) -> Iterator[tuple[Tensor, bytes]]:
    generator = random.Random(seed)  # noqa: S311 - reproducible numbers are the purpose
    numbers = [generator.uniform(-0.1, 0.1) for _ in range(_TILE)]
    tiles = {_F32: struct.pack(f"<{_TILE}f", *numbers), _F16: struct.pack(f"<{_TILE}e", *numbers)}
    for name, dims in _shapes(architecture, vocabulary, shape):
        kind = _F32 if len(dims) == 1 else _F16
        count = dims[0] * (dims[1] if len(dims) > 1 else 1)
        nbytes = count * kind.width
        start = generator.randrange(_TILE) * kind.width
        tile = tiles[kind][start:] + tiles[kind][:start]
        data = (tile * (nbytes // len(tile) + 1))[:nbytes]
        yield Tensor(name, dims, kind, 0, nbytes), data
