"""Small models to quantize: any architecture, any names and shapes of tensors, seeded noise as weights."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path

from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType

TYPE = {kind.name: kind for kind in TENSOR_TYPES.values()}
_FORMATS = {"F32": "f", "F16": "e"}


def write_model(
    path: Path,
    tensors: Iterable[tuple[str, Sequence[int]]],
    *,
    architecture: str = "llama",
    numbers: Mapping[str, int] | None = None,
    kind: str = "F32",
    metadata: Iterable[Entry] = (),
    seed: int = 0,
) -> Path:
    """Write a GGUF with these tensors; ``numbers`` are keys of the architecture. llama.cpp reads enough of it to quantize it."""
    known = {"context_length": 128, "embedding_length": 256, "feed_forward_length": 256, "block_count": 2}
    known |= {"attention.head_count": 8, "attention.head_count_kv": 8, "vocab_size": 32} | dict(numbers or {})
    entries = [Entry.of("general.architecture", ValueType.STRING, architecture)]
    entries += [Entry.of(f"{architecture}.{key}", ValueType.UINT32, value) for key, value in known.items()]
    for norm in ("rms_epsilon", "epsilon"):
        entries.append(Entry.of(f"{architecture}.attention.layer_norm_{norm}", ValueType.FLOAT32, 1e-5))
    entries += metadata
    chance = random.Random(seed)
    noise = [chance.gauss(0, 0.02) for _ in range(1 << 12)]
    rows: list[tuple[Tensor, bytes]] = []
    for name, dims in tensors:
        used = TYPE["F32" if len(dims) == 1 else kind]
        count, start = prod(dims), chance.randrange(len(noise))
        tile = struct.pack(f"<{len(noise)}{_FORMATS[used.name]}", *noise[start:], *noise[:start])
        data = (tile * (count // len(noise) + 1))[: count * used.width]
        rows.append((Tensor(name, tuple(dims), used, 0, len(data)), data))
    with path.open("wb") as file:
        for segment in packed(entries, rows, 32):
            file.write(segment if isinstance(segment, bytes) else segment.read())
    return path


def block_tensors(
    blocks: int, width: int = 256, *, experts: int = 0, rows: int = 2
) -> list[tuple[str, tuple[int, ...]]]:
    """Return the tensors of a text model whose matrices have few rows."""
    found: list[tuple[str, tuple[int, ...]]] = [("token_embd.weight", (width, rows)), ("output_norm.weight", (width,))]
    for block in range(blocks):
        found += [
            (f"blk.{block}.{name}.weight", (width, rows)) for name in ("attn_q", "attn_k", "attn_v", "attn_output")
        ]
        found.append((f"blk.{block}.attn_norm.weight", (width,)))
        for name in ("ffn_up", "ffn_gate", "ffn_down"):
            if experts:
                found.append((f"blk.{block}.{name}_exps.weight", (width, rows, experts)))
            else:
                found.append((f"blk.{block}.{name}.weight", (width, rows)))
        if experts:
            found.append((f"blk.{block}.ffn_gate_inp.weight", (width, experts)))
    return found
