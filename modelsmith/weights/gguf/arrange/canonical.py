"""The order that Ollama gives every text GGUF at create: what ``llama-quantize IN OUT COPY`` writes, byte for byte.

Sources: Ollama ``server/quantization.go`` (when); llama.cpp ``src/llama-quant.cpp`` (metadata),
``src/llama-model-loader.cpp`` (order of the tensors, guess of the file type), ``ggml/src/gguf.cpp`` (C strings, dimensions).
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from modelsmith.errors import InvalidGGUF
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry, Metadata, text_of
from modelsmith.weights.gguf.types import GUESSED_FILE_TYPES, QUANTIZATION_VERSION, ValueType, padding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.files.segments import FileSlice, Segment
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

_SPLIT_COUNT = "split.count"
SPLIT_KEYS = ("split.no", _SPLIT_COUNT, "split.tensors.count")
_FILE_TYPE = "general.file_type"
_REQUIRED = ("context_length", "embedding_length", "block_count")
_GUESSED = 1024
_LENGTH = struct.Struct("<Q")
_TRUTH = bytes([0]) + bytes([1]) * 255
_BLOCK = regex(rb"blk\.[ \t-\r]*([+-]?[0-9]+)")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A GGUF, or all shards of a split one, as llama.cpp would write it: each tensor with the place of its data."""

    metadata: Metadata
    tensors: tuple[tuple[Tensor, FileSlice], ...]
    alignment: int


def canonical(*parts: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of one GGUF, or of all shards of a split one, in canonical order.

    Raises InvalidGGUF where llama.cpp would refuse the file. One thing is not as llama.cpp does it: it forgets
    ``general.alignment`` and lays everything out by 32, so that it cannot read its own output; here the file's own holds.
    """
    arrangement = arranged(*parts)
    return packed(arrangement.metadata.entries, arrangement.tensors, arrangement.alignment)


def arranged(*parts: GGUFFile, file_type: int | None = None) -> Arrangement:
    """Return what ``canonical`` writes, with ``general.file_type`` set where it is given; raises as ``canonical`` does."""
    first = parts[0]
    _check_metadata(first)
    for part in parts:
        _check_tensors(part)
    tensors = [(tensor, part.data_of(tensor)) for part in parts for tensor in part.tensors]
    if len({tensor.name for tensor, _ in tensors}) != len(tensors):
        _fail(first, "the shards hold the same tensor twice")
    tensors.sort(key=lambda item: tensor_position(item[0].name))
    if file_type is None:
        known = _FILE_TYPE in first.metadata
        file_type = first.metadata.uint(_FILE_TYPE) if known else _guess(tensor for tensor, _ in tensors)
    entries = _without_split({text_of(entry.key): entry for entry in map(_as_c_strings, first.metadata.entries)})
    metadata = Metadata(entries).moved_last(
        Entry.of("general.quantization_version", ValueType.UINT32, QUANTIZATION_VERSION),
        Entry.of(_FILE_TYPE, ValueType.UINT32, file_type),
    )
    return Arrangement(metadata, tuple((_trimmed(tensor), place) for tensor, place in tensors), first.alignment)


def _fail(gguf: GGUFFile, reason: str) -> NoReturn:
    raise InvalidGGUF(f"{gguf.path}: {reason}", hint="llama.cpp cannot load such a file; convert the model again")


def _check_metadata(gguf: GGUFFile) -> None:
    if not gguf.metadata.text("general.architecture"):
        _fail(gguf, "general.architecture is missing")
    for key in map(gguf.metadata.of_architecture, _REQUIRED):
        if key not in gguf.metadata:
            _fail(gguf, f"{key} is missing")
    if _FILE_TYPE in gguf.metadata and gguf.metadata.type_of(_FILE_TYPE) != ValueType.UINT32:
        _fail(gguf, f"{_FILE_TYPE} is not an UINT32")
    if _SPLIT_COUNT in gguf.metadata and gguf.metadata.type_of(_SPLIT_COUNT) != ValueType.UINT16:
        _fail(gguf, f"{_SPLIT_COUNT} is not an UINT16")
    if "" in gguf.metadata:
        _fail(gguf, "a metadata key is empty")


def _check_tensors(gguf: GGUFFile) -> None:
    expected = 0
    for tensor in gguf.tensors:
        if 0 in tensor.dims[1:]:
            _fail(gguf, f'tensor "{tensor.name}" has no elements')
        if tensor.offset != expected:
            _fail(
                gguf, f'tensor "{tensor.name}" is at offset {tensor.offset}, not at {expected} after the one before it'
            )
        expected += tensor.nbytes + padding(tensor.nbytes, gguf.alignment)


def tensor_position(tensor: str) -> tuple[int, bytes]:
    """Return the sort key: tensors without a block number first, then block by block, each by name."""
    name = tensor.encode("utf-8", "surrogateescape")
    match = _BLOCK.match(name)
    if not match:
        return -1, name
    # C reads the digits as a 64 bit number, clamped, and keeps its lower 32 bits
    number = max(-(1 << 63), min(int(match[1][:40]), (1 << 63) - 1)) & 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number, name


def _guess(tensors: Iterable[Tensor]) -> int:
    """Return the file type of a GGUF that names none: that of its most frequent tensor type, marked as guessed."""
    counts: Counter[str] = Counter()
    best = ""
    for tensor in tensors:
        counts[tensor.type.name] += 1
        if counts[tensor.type.name] > counts[best]:
            best = tensor.type.name
    return GUESSED_FILE_TYPES.get(best, 0) | _GUESSED


def _trimmed(tensor: Tensor) -> Tensor:
    dims = list(tensor.dims) or [1]
    while len(dims) > 1 and dims[-1] == 1:
        dims.pop()
    return replace(tensor, dims=tuple(dims))


def _without_split(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {key: entry for key, entry in entries.items() if key not in SPLIT_KEYS}


def _as_c_strings(entry: Entry) -> Entry:
    """Return the entry as it comes out of C: texts end at their first NUL, truths are 0 or 1."""
    entry = replace(entry, key=entry.key.split(b"\0", 1)[0])
    kind = entry.item_type if entry.type == ValueType.ARRAY else entry.type
    if kind == ValueType.BOOL:
        raw = entry.raw()
        return replace(entry, value=raw.translate(_TRUTH)) if raw.strip(b"\0\1") else entry
    if kind != ValueType.STRING:
        return entry
    raw = entry.raw()
    count = entry.count if entry.type == ValueType.ARRAY else 1
    # Lengths from 1 to 255 hold seven NULs each. As many in all means none in the texts, which spares the walk.
    if raw.count(b"\0") == 7 * count:
        return entry
    return replace(entry, value=_cut(raw, count))


def _cut(raw: bytes, count: int) -> bytes:
    parts: list[bytes] = []
    position = 0
    for _ in range(count):
        end = position + 8 + _LENGTH.unpack_from(raw, position)[0]
        text = raw[position + 8 : end].split(b"\0", 1)[0]
        parts += (_LENGTH.pack(len(text)), text)
        position = end
    return b"".join(parts)
