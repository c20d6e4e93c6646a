"""Whether a file has what llama.cpp needs to load its architecture: keys, their types, and the tensors of each block."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.verify.model import BLOCK, is_language_model, is_shard
from modelsmith.weights.gguf.verify.needs import needs_of
from modelsmith.weights.gguf.verify.shapes import check_counts, check_shapes

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Entry, Metadata
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.verify.needs import Alternatives, KeyType, Needs

_CONVERT = "convert the model again; llama.cpp refuses to load it like this"
_MOST_BLOCKS = 1 << 12
_WHOLE = ("general.", "tokenizer.", "xielu.")


def check_architecture(gguf: GGUFFile, faults: Faults) -> None:
    """Note which keys and tensors are missing or of another type than llama.cpp loads."""
    needs = needs_of(gguf.architecture)
    if needs is None or not is_language_model(gguf) or (is_shard(gguf) and gguf.metadata.get("split.no")):
        return
    _check_keys(gguf, needs, faults)
    check_counts(gguf, faults)
    if not is_shard(gguf) and gguf.tensors:  # a file of the vocabulary only has none
        _check_tensors(gguf, needs, faults)
        check_shapes(gguf, faults)


def _check_keys(gguf: GGUFFile, needs: Needs, faults: Faults) -> None:
    metadata = gguf.metadata
    for short in needs.keys:
        key = _whole(metadata, short)
        if key not in metadata:
            faults.add("missing-key", f"{key} is missing, which {gguf.architecture} needs", None, "", _CONVERT)
    for short, wanted in needs.types.items():
        if short.endswith("_token_id") and short.startswith("tokenizer."):  # told with the vocabulary
            continue
        key = _whole(metadata, short)
        if key in metadata:
            _check_type(gguf, metadata.entry(key), key, wanted, faults)


def _whole(metadata: Metadata, short: str) -> str:
    """Return the key as a file has it: most begin with the architecture, some do not."""
    return short if short.startswith(_WHOLE) else metadata.of_architecture(short)


def _check_type(gguf: GGUFFile, entry: Entry, key: str, wanted: KeyType, faults: Faults) -> None:
    if entry.type == wanted.type:
        return
    if wanted.per_layer and entry.type == ValueType.ARRAY:
        blocks = gguf.metadata.uint(gguf.metadata.of_architecture("block_count"))
        if entry.item_type not in wanted.items:
            items = " or ".join(value_type.name for value_type in wanted.items)
            message = f"{key} is an array of {ValueType(entry.item_type).name}"
            faults.add("wrong-type", message, entry.value_at, f"an array of {items}", _CONVERT)
        elif blocks and entry.count != blocks:
            message = f"{key} has {entry.count} items for {blocks} blocks"
            faults.add("wrong-length", message, entry.value_at, f"{blocks} items", _CONVERT)
        return
    value = gguf.metadata[key]
    shown = f"an array of {len(value)}" if isinstance(value, GGUFArray) else f"{value!r:.40}"
    message = f"{key} is {shown}, of type {ValueType(entry.type).name}, which llama.cpp refuses"
    faults.add("wrong-type", message, entry.value_at, wanted.type.name, _set_anew(key, value, wanted))


def _set_anew(key: str, value: object, wanted: KeyType) -> str:
    """Return the command that gives a key the right type."""
    kinds = {ValueType.UINT32: "u32", ValueType.FLOAT32: "f32", ValueType.BOOL: "bool", ValueType.STRING: "string"}
    if isinstance(value, GGUFArray):
        value = next(iter(value), None)
    usable = isinstance(value, (int, float)) and not (wanted.type == ValueType.UINT32 and value < 0)
    if wanted.type == ValueType.UINT32 and isinstance(value, float):
        usable = value.is_integer()
        value = int(value) if usable else value
    shown = (str(value).lower() if isinstance(value, bool) else str(value)) if usable else "VALUE"
    return f"set it anew: modelsmith gguf set FILE {key} {shown} --type {kinds[wanted.type]}"


def _check_tensors(gguf: GGUFFile, needs: Needs, faults: Faults) -> None:
    names = {tensor.name for tensor in gguf.tensors}
    for name in needs.tensors:
        if name not in names:
            faults.add(
                "missing-tensor", f'tensor "{name}" is missing, which {gguf.architecture} needs', None, "", _CONVERT
            )
    metadata = gguf.metadata
    count = metadata.uint(metadata.of_architecture("block_count"))
    count -= metadata.uint(metadata.of_architecture("nextn_predict_layers"))  # blocks beyond the model's own
    found: dict[int, set[str]] = defaultdict(set)
    for name in names:
        if match := BLOCK.match(name):
            found[int(match[1])].add(name[match.end() :])
    by_lack: dict[Alternatives, list[int]] = defaultdict(list)
    for block in range(min(count, _MOST_BLOCKS)):
        if block in found:  # a block without any tensor is told as such
            for lack in needs.missing(frozenset(found[block])):
                by_lack[lack].append(block)
    for lack, blocks in by_lack.items():
        _note_lack(gguf.architecture, lack, blocks, faults)


def _note_lack(architecture: str, lack: Alternatives, blocks: list[int], faults: Faults) -> None:
    first, *others = (" and ".join(names) for names in lack)
    where = f"blk.{blocks[0]}" if len(blocks) == 1 else f"{len(blocks)} blocks, the first of them blk.{blocks[0]},"
    message = f"{where} lack{'s' if len(blocks) == 1 else ''} {first}, which {architecture} needs"
    expected = f"or {' or '.join(others)}" if others else ""
    faults.add("missing-tensor", message, None, expected, _CONVERT)
