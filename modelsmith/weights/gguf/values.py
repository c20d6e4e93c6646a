"""Values of metadata keys: their types by name, and from texts and JSON to the bytes of an entry, strictly.

Sources: ggml ``gguf.h`` (types); gguf-py ``constants.py`` and ``gguf_writer.py`` (which key has which type).
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UsageError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import Entry, GGUFArray
from modelsmith.weights.gguf.types import MAX_ARRAY, MAX_STRING, SCALARS, ValueType

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOATS = (ValueType.FLOAT32, ValueType.FLOAT64)
_SHORT = {
    f"{kind.name[0].lower()}{kind.name.lstrip('UINTFLOA')}": kind for kind in ValueType if kind.name[-1].isdigit()
}
_NAMES = {kind.name.lower(): kind for kind in ValueType if kind != ValueType.ARRAY} | _SHORT | {"str": ValueType.STRING}
_NUMBER = regex(r"[+-]?([0-9]+|0x[0-9a-fA-F]+)")
_LENGTH = struct.Struct("<Q")
_BITS = (ValueType.UINT32, ValueType.INT32, ValueType.UINT64, ValueType.INT64)


@dataclass(frozen=True, slots=True)
class ValueKind:
    """The type of a value; of an array (``type`` is ARRAY) also that of its items."""

    type: ValueType
    item: ValueType | None = None

    def __str__(self) -> str:
        return self.type.name if self.item is None else f"array of {self.item.name}"

    @classmethod
    def of(cls, entry: Entry) -> ValueKind:
        """Return the kind of an entry that a file has."""
        is_array = entry.type == ValueType.ARRAY
        return cls(ValueType(entry.type), ValueType(entry.item_type) if is_array else None)

    @classmethod
    def parse(cls, text: str) -> ValueKind:
        """Read ``u32``, ``uint32``, ``string``, ``bool`` …; ``[u32]`` is an array of them. Raises UsageError."""
        name = text.strip().lower()
        is_array = name.startswith("[") and name.endswith("]")
        found = _NAMES.get(name[1:-1] if is_array else name)
        if found is None:
            known = "u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool string"
            raise UsageError(f"{text!r:.40} is no type of a metadata value", hint=f"{known}, or [u32] for an array")
        return cls(ValueType.ARRAY, found) if is_array else cls(found)


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value together with the type it shall have, whatever its key has now."""

    kind: ValueKind
    value: Any


_USUAL: tuple[tuple[str, ValueKind], ...] = (
    (r"general\.(alignment|file_type|quantization_version|.*\bcount)", ValueKind(ValueType.UINT32)),
    (r"general\.(tags|languages|datasets)", ValueKind(ValueType.ARRAY, ValueType.STRING)),
    (r"general\.sampling\.(top_k|penalty_last_n|mirostat)", ValueKind(ValueType.INT32)),
    (r"general\.sampling\.(?!sequence\Z).*", ValueKind(ValueType.FLOAT32)),
    (r"general\..*", ValueKind(ValueType.STRING)),
    (r"tokenizer\.(chat_template(\..*)?|ggml\.(model|pre))", ValueKind(ValueType.STRING)),
    (r"tokenizer\.ggml\..*_token_id", ValueKind(ValueType.UINT32)),
    (r"tokenizer\.ggml\.(add_.*|remove_extra_whitespaces)", ValueKind(ValueType.BOOL)),
    (r".*\.(context_length|block_count|embedding_length|feed_forward_length|vocab_size)", ValueKind(ValueType.UINT32)),
    (
        r".*\.(attention\.(head_count|head_count_kv|key_length|value_length|sliding_window))",
        ValueKind(ValueType.UINT32),
    ),
    (r".*\.(expert_count|expert_used_count|rope\.dimension_count)", ValueKind(ValueType.UINT32)),
    (r".*\.(rope\.freq_base|rope\.scaling\.factor|attention\.layer_norm_rms_epsilon)", ValueKind(ValueType.FLOAT32)),
    (r".*\.rope\.scaling\.original_context_length", ValueKind(ValueType.UINT32)),
    (r".*\.rope\.scaling\.type", ValueKind(ValueType.STRING)),
)


def usual_kind(key: str) -> ValueKind | None:
    """Return the type that converters give a key; None where it has no usual one."""
    return next((kind for pattern, kind in _USUAL if re.fullmatch(pattern, key)), None)


def natural_kind(key: str, value: object) -> ValueKind:
    """Return the type of a new key by its value: the smallest of UINT32, INT32, UINT64 and INT64 for whole numbers."""
    if isinstance(value, list | tuple):
        return ValueKind(ValueType.ARRAY, _items_kind(key, value))
    if isinstance(value, str):
        return ValueKind(ValueType.STRING)
    if isinstance(value, bool):
        return ValueKind(ValueType.BOOL)
    if isinstance(value, float):
        return ValueKind(ValueType.FLOAT32)
    if not isinstance(value, int):
        raise UsageError(
            f"{key}: {value!r:.60} is no value that metadata can hold",
            hint="texts, numbers, true, false, and lists of one of them",
        )
    found = next((kind for kind in _BITS if _fits(kind, value)), None)
    if found is None:
        raise UsageError(f"{key}: {value} does not fit 64 bits")
    return ValueKind(found)


def _items_kind(key: str, items: Sequence[object]) -> ValueType:
    """Return the type of the items of a new array; whole numbers are INT32 where they fit, as converters write them."""
    if not items:
        raise UsageError(
            f"{key}: an empty list does not say of which type its items are", hint='say so: --type "[string]"'
        )
    kinds = {natural_kind(key, item).type for item in items}
    if kinds <= set(_BITS):
        fitting = (ValueType.INT32, ValueType.UINT32, ValueType.INT64, ValueType.UINT64)
        found = next(
            (kind for kind in fitting if all(isinstance(item, int) and _fits(kind, item) for item in items)), None
        )
        if found is None:
            raise UsageError(f"{key}: no whole type of 64 bits holds all items")
        return found
    if kinds <= {*_BITS, ValueType.FLOAT32}:
        return ValueType.FLOAT32
    if len(kinds) != 1 or ValueType.ARRAY in kinds:
        raise UsageError(
            f"{key}: all items of a list must be of one type, and none a list", hint="all texts, or all numbers"
        )
    return kinds.pop()


def _fits(kind: ValueType, value: int) -> bool:
    try:
        struct.pack(f"<{SCALARS[kind]}", value)
    except struct.error:
        return False
    return True


def parse_value(key: str, kind: ValueKind, text: str) -> Any:
    """Return what a text on the command line means for a key of this kind; raises UsageError."""
    if kind.type == ValueType.ARRAY:
        value = parse_json(text, f"{key} is an {kind}; its value")
        if not isinstance(value, list):
            raise UsageError(
                f"{key} is an {kind}; {text!r:.60} is no JSON list", hint="""such as '["a", "b"]' or '[1, 2]'"""
            )
        return value
    if kind.type == ValueType.STRING:
        return text
    if kind.type == ValueType.BOOL:
        if text not in {"true", "false"}:
            raise UsageError(f"{key} is of type BOOL; {text!r:.60} is not", hint="true or false")
        return text == "true"
    try:
        if kind.type in FLOATS:
            return float(text)
        if _NUMBER.fullmatch(text):
            return int(text, 0) if "x" in text else int(text)
    except ValueError:
        pass
    wanted = "a number such as 0.5" if kind.type in FLOATS else "a whole number such as 4096"
    raise UsageError(f"{key} is of type {kind}; {text!r:.60} is not", hint=wanted)


def parse_json(text: str, what: str) -> Any:
    """Return the value of a JSON text; raises UsageError that says where it ends to be JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{what} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise UsageError(f"{what} is nested too deeply") from error


def entry_of(key: str, kind: ValueKind, value: object) -> Entry:
    """Return the entry of a value of this kind; raises UsageError where it is not of that type, or does not fit it."""
    if not key or "\0" in key or len(key.encode("utf-8", "surrogatepass")) > MAX_STRING:
        raise UsageError(f"{key!r:.60} is not a metadata key")
    try:
        name = key.encode()
        if kind.item is None:
            return Entry(name, kind.type, _packed(key, kind.type, value))
        if not isinstance(value, list | tuple):
            raise UsageError(f"{key} is an {kind}; {value!r:.60} is not")
        if len(value) > MAX_ARRAY:
            raise UsageError(f"{key}: {len(value)} items exceed the maximum {MAX_ARRAY}")
        data = b"".join(_packed(f"{key}[{number}]", kind.item, item) for number, item in enumerate(value))
        return Entry(name, kind.type, data, kind.item, len(value))
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{key}: half a character (U+{ord(error.object[error.start]):04X}) does not fit UTF-8"
        ) from error


def _packed(place: str, kind: ValueType, value: object) -> bytes:
    if kind == ValueType.STRING and isinstance(value, str):
        data = value.encode()
        if b"\0" in data or len(data) > MAX_STRING:
            raise UsageError(f"{place}: the text has a NUL or is longer than {MAX_STRING} bytes")
        return _LENGTH.pack(len(data)) + data
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_right = is_number and (kind in FLOATS or isinstance(value, int))
    if isinstance(value, bool) if kind == ValueType.BOOL else is_right and kind != ValueType.STRING:
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{place}: {value} is no finite number")
        try:
            return struct.pack(f"<{SCALARS[kind]}", value)
        except (struct.error, OverflowError) as error:
            raise UsageError(f"{place}: {value!r:.60} does not fit its type {kind.name}") from error
    raise UsageError(f"{place} is of type {kind.name}; {value!r:.60} is not")


def with_item(key: str, entry: Entry, index: int, value: object) -> Entry:
    """Return an array with one item replaced; raises UsageError for what is no array, has no such item, or another type."""
    items = array_of(key, entry)
    if not 0 <= index < len(items):
        raise UsageError(f"{key} has {len(items)} items, there is no [{index}]", hint="they are counted from 0")
    data, raw = _packed(f"{key}[{index}]", items.item_type, value), entry.raw()
    if items.item_type == ValueType.STRING:
        start = 0
        for _ in range(index):
            start += 8 + _LENGTH.unpack_from(raw, start)[0]
        end = start + 8 + _LENGTH.unpack_from(raw, start)[0]
    else:
        start, end = index * len(data), (index + 1) * len(data)
    return replace(entry, value=raw[:start] + data + raw[end:])


def item_of(key: str, entry: Entry, index: int) -> Entry:
    """Return one item of an array as an entry of its own; raises UsageError for what is no array or has no such item."""
    items = array_of(key, entry)
    if not 0 <= index < len(items):
        raise UsageError(f"{key} has {len(items)} items, there is no [{index}]", hint="they are counted from 0")
    return entry_of(f"{key}[{index}]", ValueKind(items.item_type), items[index])


def array_of(key: str, entry: Entry) -> GGUFArray:
    """Return the array that an entry holds; raises UsageError for any other."""
    if entry.type != ValueType.ARRAY:
        raise UsageError(f"{key} is of type {ValueKind.of(entry)}, no array: it has no items")
    return GGUFArray(entry)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, GGUFArray) else value


def same_value(one: Entry, other: Entry) -> bool:
    """Whether two entries have the same type and the same bytes, or in different byte orders the same value."""
    if one.order != other.order:
        kinds = (one.type, one.item_type, one.count), (other.type, other.item_type, other.count)
        return kinds[0] == kinds[1] and _plain(one.decode()) == _plain(other.decode())
    if (one.type, one.item_type, one.count, len(one.value)) != (
        other.type,
        other.item_type,
        other.count,
        len(other.value),
    ):
        return False
    return one.value == other.value or one.raw() == other.raw()
