"""Headers of models of any geometry, without files: what the estimate of memory reads, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

from modelsmith.files.segments import FileStamp
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.layout import header as packed_header
from modelsmith.weights.gguf.metadata import Entry, Metadata
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.sample import array_entry
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType, padding

Value = int | str | bool | Sequence[int] | Sequence[bool]
TYPE = {kind.name: kind for kind in TENSOR_TYPES.values()}


def entry_of(key: str, value: Value) -> Entry:
    """Return the entry of a value in the type that it usually has."""
    if isinstance(value, str):
        return Entry.of(key, ValueType.STRING, value)
    if isinstance(value, bool):
        return Entry.of(key, ValueType.BOOL, value)
    if isinstance(value, int):
        return Entry.of(key, ValueType.UINT32 if 0 <= value < 1 << 32 else ValueType.INT64, value)
    return array_entry(key, ValueType.BOOL if isinstance(value[0], bool) else ValueType.INT32, [int(x) for x in value])


def header(
    architecture: str,
    numbers: Mapping[str, Value],
    tensors: Sequence[tuple[str, tuple[int, ...]]],
    *,
    kind: str = "F16",
    others: Mapping[str, Value] | None = None,
) -> GGUFFile:
    """Return a GGUF's header; ``numbers`` are keys of the architecture, ``others`` whole keys."""
    values: dict[str, Value] = {"general.architecture": architecture}
    values |= {f"{architecture}.{key}": value for key, value in numbers.items()} | dict(others or {})
    entries = {key: entry_of(key, value) for key, value in values.items()}
    rows = []
    for name, dims in tensors:
        used = TYPE["F32" if len(dims) == 1 else kind]
        rows.append(Tensor(name, dims, used, 0, prod(dims) // used.block * used.width))
    return GGUFFile(FileStamp(Path("model.gguf"), 0, 0, 0), 3, Metadata(entries), tuple(rows), 32, 0)


def layers(count: int, width: int = 256, inner: int = 512) -> list[tuple[str, tuple[int, ...]]]:
    """Return the tensors of a small model: embeddings, output, and two matrices and a norm a layer."""
    found: list[tuple[str, tuple[int, ...]]] = [("token_embd.weight", (width, 1000)), ("output.weight", (width, 1000))]
    for layer in range(count):
        found += [
            (f"blk.{layer}.attn_norm.weight", (width,)),
            (f"blk.{layer}.attn_q.weight", (width, width)),
            (f"blk.{layer}.ffn_up.weight", (width, inner)),
        ]
    return found


def model(architecture: str, count: int = 4, **numbers: Value) -> FitModel:
    """Return a small model; names of keys have ``__`` for the dot."""
    usual: dict[str, Value] = {
        "block_count": count,
        "context_length": 8192,
        "embedding_length": 256,
        "feed_forward_length": 512,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
    }
    given = {key.replace("__", "."): value for key, value in numbers.items()}
    return FitModel.of_parts([header(architecture, usual | given, layers(count))])


def write_header(path: Path, gguf: GGUFFile) -> Path:
    """Write a header as a file that is as long as it says, with zeros for weights (sparse)."""
    infos, offset = [], 0
    for tensor in gguf.tensors:
        infos.append(tensor.info(offset))
        offset += tensor.nbytes + padding(tensor.nbytes, gguf.alignment)
    with path.open("wb") as file:
        for segment in packed_header(gguf.metadata.entries, infos, gguf.alignment):
            file.write(segment if isinstance(segment, bytes) else segment.read())
        file.truncate(file.tell() + offset)
    return path
