"""The outline of a GGUF: its header as a small tree of plain values, and a file of the same shape made of it.

Plans, explanations and estimates read headers only. An outline keeps the metadata, the tensors and the tokens that stand
for themselves; of long arrays (words, merges, scores) it keeps the length. ``write_standin`` makes a file of it whose
header has the same size, whose tensors are a hole, and whose other words are placeholders.

::

    {"version": 3, "size": 4683073184,
     "metadata": {"llama.block_count": {"uint32": 32}, "tokenizer.chat_template": {"string": ["{%- for …", "…"]},
                  "tokenizer.ggml.tokens": {"array": "string", "count": 128256, "bytes": 2100000, "items": {"128000": "<|begin_of_text|>"}}},
     "tensors": [{"name": "blk.{0-31}.attn_q.weight", "type": "Q4_K", "dims": [4096, 4096]}]}
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidGGUF
from modelsmith.weights.gguf.metadata import Entry, GGUFArray, text_of
from modelsmith.weights.gguf.tensor_groups import grouped
from modelsmith.weights.gguf.tokens.special import CONTROL, USER_DEFINED
from modelsmith.weights.gguf.types import SCALARS, ValueType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from modelsmith.weights.gguf.file import GGUFFile

SHORT = 64
"""Items of an array that is kept whole."""

MOST_TOKENS = 512
"""Tokens that are kept because of their kind; where there are more, only those that a template names, ends or roles need."""

TOKENS, KINDS = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_MARK = re.compile(r"[<\[|].*[>\]|]", re.DOTALL)
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_REASONS = re.compile(r"think|reason|thought", re.IGNORECASE)


def outline(gguf: GGUFFile, named: Collection[str] = ()) -> dict[str, Any]:
    """Return the outline of a GGUF; ``named`` are texts (templates, stop strings) whose tokens are kept."""
    kept = _kept_tokens(gguf, named)
    return {
        "version": gguf.version,
        "size": gguf.size,
        "metadata": {text_of(entry.key): _value(entry, kept) for entry in gguf.metadata.entries},
        "tensors": list(grouped(gguf.tensors)),
    }


def _kept_tokens(gguf: GGUFFile, named: Collection[str]) -> frozenset[int]:
    tokens, kinds = gguf.metadata.get(TOKENS), gguf.metadata.get(KINDS)
    if not isinstance(tokens, GGUFArray) or tokens.item_type != ValueType.STRING:
        return frozenset()
    roles = {token.id for token in gguf.special_tokens.values() if 0 <= token.id < len(tokens)}
    special = set()
    if isinstance(kinds, GGUFArray):
        special = {number for number, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)}
    marks = {
        number: text
        for number, text in enumerate(tokens)
        if number in special or (_MARK.fullmatch(text) and not _BYTE.fullmatch(text))
    }
    if len(marks) > MOST_TOKENS:
        texts = (*named, gguf.chat_template or "")
        marks = {
            number: text
            for number, text in marks.items()
            if text and (_REASONS.search(text) or any(text in other for other in texts))
        }
    return frozenset(roles | set(list(marks)[: 2 * MOST_TOKENS]))


def _value(entry: Entry, kept: frozenset[int]) -> dict[str, Any]:
    if entry.type != ValueType.ARRAY:
        return {ValueType(entry.type).name.lower(): _plain(entry.decode())}
    array = GGUFArray(entry)
    if entry.item_type == ValueType.ARRAY or entry.item_type not in {*SCALARS, ValueType.STRING}:
        raise InvalidGGUF(f"{text_of(entry.key)} is an array of arrays", hint="get another file of the model")
    kind = array.item_type.name.lower()
    if len(array) <= SHORT:
        return {"array": kind, "items": [_plain(item) for item in array]}
    long: dict[str, Any] = {"array": kind, "count": len(array)}
    if array.item_type == ValueType.STRING:
        long["bytes"] = len(entry.raw())
    if text_of(entry.key) in (TOKENS, KINDS):
        long["items"] = {str(number): _plain(array[number]) for number in sorted(kept) if number < len(array)}
    return long


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a text of several lines as a list of them, a number that is none as its name."""
    if isinstance(value, str):
        return value.split("\n") if "\n" in value else value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def entries_of(metadata: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the entries that an outline's metadata stands for; raises InvalidGGUF where it cannot be one."""
    for key, value in metadata.items():
        try:
            yield _entry(key, value)
        except (ValueError, TypeError, KeyError, struct.error, OverflowError) as error:
            raise InvalidGGUF(f"{key:.120}: {value!s:.80} is no outline of a value ({error})") from error


def _entry(key: str, value: Mapping[str, Any]) -> Entry:
    if "array" not in value:
        ((kind, plain),) = value.items()
        type_ = ValueType[kind.upper()]
        return Entry(key.encode(), type_, _packed(type_, plain))
    type_ = ValueType[value["array"].upper()]
    items = value.get("items", {})
    if "count" not in value:
        data = b"".join(_packed(type_, item) for item in items)
        return Entry(key.encode(), ValueType.ARRAY, data, type_, len(items))
    count, known = value["count"], {int(number): item for number, item in items.items()}
    if any(not 0 <= number < count for number in known):
        raise ValueError("an item beyond its end")
    if type_ == ValueType.STRING:
        data = b"".join(_texts(count, value["bytes"], {number: _text(item) for number, item in known.items()}))
    else:
        # an ordinary token is of kind 1; scores and the like do not matter to who reads no numbers
        usual = _packed(type_, 1 if key == KINDS else 0)
        width = len(usual)
        whole = bytearray(usual * count)
        for number, item in known.items():
            whole[number * width : (number + 1) * width] = _packed(type_, item)
        data = bytes(whole)
    return Entry(key.encode(), ValueType.ARRAY, data, type_, count)


def _packed(type_: ValueType, plain: Any) -> bytes:
    if type_ == ValueType.STRING:
        data = _text(plain).encode()
        return struct.pack("<Q", len(data)) + data
    if type_ not in SCALARS:
        raise ValueError(f"{type_.name.lower()} has no place here")
    if type_ == ValueType.BOOL and not isinstance(plain, bool):
        raise ValueError("true or false is expected")
    number = float(plain) if isinstance(plain, str) else plain
    return struct.pack(f"<{SCALARS[type_]}", number)


def _text(plain: Any) -> str:
    return "\n".join(plain) if isinstance(plain, list) else str(plain)


def _texts(count: int, nbytes: int, known: Mapping[int, str]) -> Iterator[bytes]:
    """Yield ``count`` texts that take ``nbytes`` with their lengths; those that are not known are short and all different."""
    room = nbytes - 8 * count - sum(len(text.encode()) for text in known.values())
    unknown = count - len(known)
    names = [b"%x" % number for number in range(unknown)]
    if sum(map(len, names)) > room:
        names = [b""] * unknown  # words this short cannot all differ
    if room < 0 or (not unknown and room):
        raise ValueError("its bytes are not those of its items")
    if unknown:
        names[-1] += b"." * (room - sum(map(len, names)))
    others = iter(names)
    for number in range(count):
        data = known[number].encode() if number in known else next(others)
        yield struct.pack("<Q", len(data)) + data
