"""Whether a file has what llama.cpp needs to load its architecture: keys, their types, and values that fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.verify.expressions import names_of
from modelsmith.weights.gguf.verify.model import is_language_model, is_shard
from modelsmith.weights.gguf.verify.needs import needs_of, whole_key
from modelsmith.weights.gguf.verify.sizes import Sizes
from modelsmith.weights.gguf.verify.tensors import check_tensors

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Entry
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.verify.needs import KeyNeed, Needs

_CONVERT = "convert the model again; llama.cpp refuses to load it like this"
_MOST_BLOCKS, _MOST_EXPERTS = 512, 1024
_WIDTHS = {
    "rot": "rope.dimension_count", "head_v": "attention.value_length", "head_k": "attention.key_length",
    "rot_swa": "rope.dimension_count_swa", "head_v_swa": "attention.value_length_swa", "head_k_swa": "attention.key_length_swa",
    "rope_scaling": "rope.scaling.type", "head": "attention.head_count", "head_kv": "attention.head_count_kv", "ff": "feed_forward_length",
}  # fmt: skip


def check_architecture(gguf: GGUFFile, faults: Faults) -> None:
    """Note which keys and tensors are missing or otherwise than llama.cpp loads them."""
    needs = needs_of(gguf.architecture)
    if needs is None or not is_language_model(gguf) or (is_shard(gguf) and gguf.metadata.get("split.no")):
        return
    sizes = Sizes(gguf)
    _check_keys(gguf, needs, sizes, faults)
    if not _check_counts(gguf, sizes, faults):
        _check_refused(gguf, needs, sizes, faults)
    if not is_shard(gguf) and gguf.tensors:  # a file of the vocabulary only has none
        check_tensors(gguf, needs, sizes, faults)


def _check_keys(gguf: GGUFFile, needs: Needs, sizes: Sizes, faults: Faults) -> None:
    metadata, told = gguf.metadata, set[str]()
    for need in needs.keys:
        key = whole_key(metadata, need.name)
        if key in told or (need.when and not sizes.value(need.when)):
            continue
        if key not in metadata or (need.is_list and need.is_needed and metadata.type_of(key) != ValueType.ARRAY):
            if need.is_needed:
                told.add(key)
                what = "is missing" if key not in metadata else "is no list"
                faults.add("missing-key", f"{key} {what}, which {gguf.architecture} needs", None, "", _CONVERT)
            continue
        with_vocabulary = key.startswith("tokenizer.") and key.endswith("_token_id")  # told there
        if (
            key in metadata
            and not with_vocabulary
            and not _check_type(gguf, metadata.entry(key), key, need, sizes, faults)
        ):
            told.add(key)


def _check_type(gguf: GGUFFile, entry: Entry, key: str, need: KeyNeed, sizes: Sizes, faults: Faults) -> bool:
    """Return whether a key is as llama.cpp reads it, and note it where it is not."""
    if entry.type == ValueType.ARRAY and need.skips_lists:
        return True
    if entry.type == ValueType.ARRAY and (need.length or need.is_list):
        return _check_list(entry, key, need, sizes, faults)
    if entry.type != need.type and not need.is_list:
        value = gguf.metadata[key]
        shown = f"an array of {len(value)}" if isinstance(value, GGUFArray) else f"{value!r:.40}"
        message = f"{key} is {shown}, of type {ValueType(entry.type).name}, which llama.cpp refuses"
        faults.add("wrong-type", message, entry.value_at, need.type.name, _set_anew(key, value, need.type))
        return False
    value = gguf.metadata[key]
    if key.endswith("epsilon") and isinstance(value, float) and not value >= 0:
        hint = f"set the right one: modelsmith gguf set FILE {key} NUMBER"
        faults.add("wrong-value", f"{key} is {value}, which llama.cpp refuses", entry.value_at, "0 or more", hint)
        return False
    return True


def _check_list(entry: Entry, key: str, need: KeyNeed, sizes: Sizes, faults: Faults) -> bool:
    wanted = sizes.value(need.length) if need.length else None
    if entry.item_type not in need.items:
        items = " or ".join(value_type.name for value_type in need.items)
        message = f"{key} is an array of {ValueType(entry.item_type).name}"
        faults.add("wrong-type", message, entry.value_at, f"an array of {items}", _CONVERT)
    elif wanted is not None and entry.count != wanted:
        whose = f" for {wanted} blocks" if need.length != str(wanted) else ""
        message = f"{key} has {entry.count} items{whose}"
        faults.add("wrong-length", message, entry.value_at, f"{wanted} items", _CONVERT)
    elif wanted is None and entry.count > _MOST_BLOCKS:
        faults.add(
            "wrong-length", f"{key} has {entry.count} items", entry.value_at, f"at most {_MOST_BLOCKS}", _CONVERT
        )
    else:
        return True
    return False


def _set_anew(key: str, value: object, wanted: ValueType) -> str:
    """Return the command that gives a key the right type."""
    kinds = {ValueType.UINT32: "u32", ValueType.FLOAT32: "f32", ValueType.BOOL: "bool", ValueType.STRING: "string"}
    if isinstance(value, GGUFArray):
        value = next(iter(value), None)
    usable = isinstance(value, (int, float)) and not (wanted == ValueType.UINT32 and value < 0)
    if wanted == ValueType.UINT32 and isinstance(value, float):
        usable = value.is_integer()
        value = int(value) if usable else value
    shown = (str(value).lower() if isinstance(value, bool) else str(value)) if usable else "VALUE"
    return f"set it anew: modelsmith gguf set FILE {key} {shown} --type {kinds[wanted]}"


def _check_counts(gguf: GGUFFile, sizes: Sizes, faults: Faults) -> bool:
    """Note counts that are none; return whether there are such."""
    blocks, experts, used = (sizes.value(key) for key in ("block_count", "expert_count", "expert_used_count"))
    if blocks is not None and not 0 < blocks <= _MOST_BLOCKS:
        _note(gguf, "block_count", f"from 1 to {_MOST_BLOCKS}", faults)
        return True
    if experts is not None and experts > _MOST_EXPERTS:
        _note(gguf, "expert_count", f"at most {_MOST_EXPERTS}", faults)
        return True
    if experts is not None and used is not None and not min(experts, 1) <= used <= experts:
        expected = f"from 1 to {experts}, the number of experts" if experts else "0, as expert_count"
        _note(gguf, "expert_used_count", expected, faults)
        return True
    return False


def _check_refused(gguf: GGUFFile, needs: Needs, sizes: Sizes, faults: Faults) -> None:
    """Note the first condition that holds and under which llama.cpp gives up."""
    blocks = range(min(sizes.value("block_count") or 0, _MOST_BLOCKS))
    for condition in needs.refused:
        block = next((block for block in blocks if sizes.value(condition, block)), None)
        if block is not None:
            _note_refused(gguf, condition, sizes, faults)
            return


def _note_refused(gguf: GGUFFile, condition: str, sizes: Sizes, faults: Faults) -> None:
    """Note two widths that differ by the one that the file says, and anything else by the keys that it speaks of."""
    first, sign, second = condition.rpartition(" and ")[2].partition(" != ")
    if sign and first in _WIDTHS and second in _WIDTHS:
        wrong, right = (first, second) if whole_key(gguf.metadata, _WIDTHS[first]) in gguf.metadata else (second, first)
        _note(gguf, _WIDTHS[wrong], f"{sizes.value(right)}, as {_WIDTHS[right]}", faults)
        return
    keys = list(dict.fromkeys(_keys_of(condition, needs_of(gguf.architecture))))
    present = [key for key in keys if whole_key(gguf.metadata, key) in gguf.metadata]
    if not present:
        shown = " and ".join(whole_key(gguf.metadata, key) for key in keys) or condition
        faults.add("missing-key", f"{shown} is missing, which {gguf.architecture} needs", None, "", _CONVERT)
        return
    said = " and ".join(f"{key} = {gguf.metadata[key]}" for key in (whole_key(gguf.metadata, key) for key in present))
    message = f"{said}: llama.cpp refuses a {gguf.architecture} where {condition}"
    hint = f"set the right one: modelsmith gguf set FILE {whole_key(gguf.metadata, present[0])} NUMBER"
    faults.add("wrong-value", message, gguf.metadata.entry(whole_key(gguf.metadata, present[0])).value_at, "", hint)


def _keys_of(condition: str, needs: Needs | None, depth: int = 0) -> list[str]:
    found = []
    for name in names_of(condition):
        let = needs.let.get(name) if needs and depth < len(_WIDTHS) else None
        if let:
            found += _keys_of(let, needs, depth + 1)
        elif name in _WIDTHS or "." in name or "_" in name:
            found.append(_WIDTHS.get(name, name))
    return found


def _note(gguf: GGUFFile, short: str, expected: str, faults: Faults) -> None:
    key = gguf.metadata.of_architecture(short)
    if key not in gguf.metadata:
        faults.add("missing-key", f"{key} is missing, which {gguf.architecture} needs", None, expected, _CONVERT)
        return
    hint = f"set the right one: modelsmith gguf set FILE {key} NUMBER"
    message = f"{key} is {gguf.metadata[key]}, which llama.cpp refuses"
    faults.add("wrong-value", message, gguf.metadata.entry(key).value_at, expected, hint)
