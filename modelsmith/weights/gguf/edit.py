"""Changing a GGUF's metadata: a new header before the old data; no tensor is touched or moved against the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported, UsageError
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.types import MAX_STRING, ValueType
from modelsmith.weights.segments import FileSlice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.segments import Segment

MetadataValue = str | int | float | bool
_FIXED = ("general.alignment", "general.architecture")
_FLOATS = (ValueType.FLOAT32, ValueType.FLOAT64)


def edit(gguf: GGUFFile, changes: Mapping[str, MetadataValue | None]) -> GGUFFile:
    """Return the GGUF with metadata keys set or (None) removed; keys keep their order, new ones come last.

    A value takes the type that its key has already; a new key is STRING, BOOL, FLOAT32, or the smallest of UINT32, INT32,
    UINT64 and INT64 that holds it. Raises UsageError where a value cannot be that, Unsupported for arrays.
    """
    return gguf.with_metadata(gguf.metadata.changed({key: _entry(gguf, key, value) for key, value in changes.items()}))


def edited_segments(gguf: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of the file with the metadata that ``gguf`` has now."""
    infos = [tensor.info(tensor.offset) for tensor in gguf.tensors]
    tail = FileSlice(gguf.stamp, gguf.data_offset, max(gguf.size - gguf.data_offset, 0))
    return (*header(gguf.metadata.entries, infos, gguf.alignment, gguf.version), tail)


def _entry(gguf: GGUFFile, key: str, value: MetadataValue | None) -> Entry | None:
    if key in _FIXED:
        raise Unsupported(f"{key} cannot be edited: the tensors depend on it", hint="convert the model again instead")
    if not key or "\0" in key or len(key.encode()) > MAX_STRING:
        raise UsageError(f"{key!r:.60} is not a metadata key")
    if value is None:
        return None
    kind = gguf.metadata.type_of(key) if key in gguf.metadata else _natural_type(key, value)
    if kind == ValueType.ARRAY:
        raise Unsupported(f"{key} is an array; only texts, numbers and booleans can be set", hint="it can be removed")
    fits = {ValueType.STRING: isinstance(value, str), ValueType.BOOL: isinstance(value, bool)}.get(
        kind, isinstance(value, (int, float) if kind in _FLOATS else int) and not isinstance(value, bool)
    )
    if not fits:
        raise UsageError(f"{key} is of type {kind.name}; {value!r:.60} is not")
    if isinstance(value, str) and ("\0" in value or len(value.encode("utf-8", "replace")) > MAX_STRING):
        raise UsageError(f"{key}: the text has a NUL or is longer than {MAX_STRING} bytes")
    try:
        return Entry.of(key, kind, value)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{key}: {value!r:.60} does not fit its type {kind.name}") from error


def _natural_type(key: str, value: MetadataValue) -> ValueType:
    if isinstance(value, str):
        return ValueType.STRING
    if isinstance(value, bool):
        return ValueType.BOOL
    if isinstance(value, float):
        return ValueType.FLOAT32
    for kind, low, high in (
        (ValueType.UINT32, 0, 1 << 32),
        (ValueType.INT32, -(1 << 31), 1 << 31),
        (ValueType.UINT64, 0, 1 << 64),
        (ValueType.INT64, -(1 << 63), 1 << 63),
    ):
        if low <= value < high:
            return kind
    raise UsageError(f"{key}: {value} does not fit 64 bits")
