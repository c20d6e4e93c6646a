"""The order in which Ollama itself writes a GGUF, as it does when it completes a projector's metadata.

Source: Ollama ``fs/ggml/gguf.go`` (WriteGGUF), ``server/quantization.go`` (addDefaultLlavaProjectorType),
``server/create.go`` (copySplitLayerPreservingTensors).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF
from modelsmith.files.segments import joined
from modelsmith.patterns import regex
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.types import ValueType, padding

if TYPE_CHECKING:
    from modelsmith.files.segments import Segment
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

_COMMON = ("general.", "adapter.", "tokenizer.")
_WRITABLE = {
    ValueType.INT32,
    ValueType.INT64,
    ValueType.UINT32,
    ValueType.UINT64,
    ValueType.FLOAT32,
    ValueType.BOOL,
    ValueType.STRING,
}
_BLOCK = regex(r"blk\.([+-]?[0-9]+)\.")
_NO_BLOCK = (1 << 63) - 1


def needs_projector_type(gguf: GGUFFile) -> bool:
    """Whether Ollama adds ``clip.projector_type`` to this projector, which llama.cpp needs and old LLaVA files lack."""
    metadata = gguf.metadata
    named = "clip.projector_type" in metadata or "clip.vision.projector_type" in metadata
    return gguf.architecture == "clip" and metadata.flag("clip.has_vision_encoder") and not named


def with_projector_type(gguf: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of the projector with its type said, as Ollama writes them."""
    return written_by_ollama(
        gguf.with_metadata(gguf.metadata.changed({"clip.projector_type": Entry.of("clip.projector_type", 8, "mlp")}))
    )


def merged_by_ollama(*parts: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of a split GGUF whose embedded parts keep Ollama from handing it to llama.cpp."""
    first = parts[0]
    gone = [*SPLIT_KEYS, *(first.metadata.of_architecture(key) for key in SPLIT_KEYS)]
    return written_by_ollama(first.with_metadata(first.metadata.changed(dict.fromkeys(gone))), *parts[1:])


def written_by_ollama(*parts: GGUFFile) -> tuple[Segment, ...]:
    """Return one GGUF of all parts: keys sorted, tensors by block and name, no padding after the last."""
    first = parts[0]
    if not first.metadata.text("general.architecture"):
        raise InvalidGGUF(f"{first.path}: general.architecture is missing", hint="convert the model again")
    count = sum(part.parameter_count for part in parts[:1])
    entries = {
        text: _named(first, text, entry) for text, entry in zip(first.metadata, first.metadata.entries, strict=True)
    }
    entries["general.parameter_count"] = Entry.of("general.parameter_count", ValueType.UINT64, count)
    tensors = [(tensor, part.data_of(tensor)) for part in parts for tensor in part.tensors]
    tensors.sort(key=lambda item: _position(item[0]))
    infos: list[bytes] = []
    data: list[Segment] = []
    offset = 0
    for tensor, place in tensors:
        gap = padding(offset, first.alignment)
        offset += gap
        infos.append(tensor.info(offset))
        data += (bytes(gap), place)
        offset += tensor.nbytes
    ordered = [entries[key] for key in sorted(entries, key=lambda key: key.encode("utf-8", "replace"))]
    return joined((*header(ordered, infos, first.alignment), *data))


def _named(gguf: GGUFFile, key: str, entry: Entry) -> Entry:
    kind = entry.item_type if entry.type == ValueType.ARRAY else entry.type
    if kind not in _WRITABLE:
        raise InvalidGGUF(
            f"{gguf.path}: Ollama cannot rewrite it: improper type for '{key}'",
            hint="convert the model again with a current converter",
        )
    common = key.startswith((*_COMMON, f"{gguf.architecture}."))
    return entry if common else replace(entry, key=gguf.metadata.of_architecture(key).encode())


def _position(tensor: Tensor) -> tuple[int, bytes]:
    match = _BLOCK.match(tensor.name)
    return int(match[1]) if match else _NO_BLOCK, tensor.name.encode("utf-8", "surrogateescape")
