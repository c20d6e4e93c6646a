"""Changing a GGUF's metadata: a new header before the old data; no tensor is touched or moved against the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import Unsupported, UsageError
from modelsmith.files.segments import FileSlice
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.metadata import Entry, Metadata, text_of
from modelsmith.weights.gguf.values import TypedValue, ValueKind, entry_of, natural_kind, usual_kind

if TYPE_CHECKING:
    from modelsmith.files.segments import Segment
    from modelsmith.weights.gguf.file import GGUFFile

MetadataValue = str | int | float | bool | Sequence[Any] | TypedValue | Entry
_FIXED = {
    "general.alignment": "the tensors' places depend on it",
    "general.architecture": "the tensors depend on it",
}


def edit(gguf: GGUFFile, changes: Mapping[str, MetadataValue | None]) -> GGUFFile:
    """Return the GGUF with metadata keys set or (None) removed; keys keep their order, new ones come last.

    A value takes the type that its key has already; a new key gets the type that converters give it, else STRING, BOOL,
    FLOAT32, or the smallest of UINT32, INT32, UINT64 and INT64 that holds it, and a list one of these for all items.
    A TypedValue says its type itself. Raises UsageError where a value cannot be that, Unsupported for keys that are fixed.
    """
    return gguf.with_metadata(gguf.metadata.changed({key: _entry(gguf, key, value) for key, value in changes.items()}))


def renamed(gguf: GGUFFile, names: Mapping[str, str]) -> GGUFFile:
    """Return the GGUF with keys under other names, in their places; raises UsageError where one is missing or taken."""
    for old, new in names.items():
        _check_key(old)
        _check_key(new)
        if old not in gguf.metadata:
            raise UsageError(f'{gguf.path} has no key "{old}"{did_you_mean(old, gguf.metadata)}')
        if new in gguf.metadata and new not in names:
            raise UsageError(f'{gguf.path} has a key "{new}" already', hint=f"remove it first: gguf unset FILE {new}")
    if len(set(names.values())) != len(names):
        raise UsageError("two keys cannot get the same name")
    entries: dict[str, Entry] = {}
    for entry in gguf.metadata.entries:
        key = names.get(text_of(entry.key), "")
        found = Entry(key.encode(), entry.type, entry.value, entry.item_type, entry.count) if key else entry
        entries[text_of(found.key)] = found
    return gguf.with_metadata(Metadata(entries))


def edited_segments(gguf: GGUFFile) -> tuple[Segment, ...]:
    """Return the bytes of the file with the metadata that ``gguf`` has now."""
    infos = [tensor.info(tensor.offset) for tensor in gguf.tensors]
    tail = FileSlice(gguf.stamp, gguf.data_offset, max(gguf.size - gguf.data_offset, 0))
    return (*header(gguf.metadata.entries, infos, gguf.alignment, gguf.version), tail)


def entry_in(gguf: GGUFFile, key: str) -> Entry:
    """Return the entry of a key; raises UsageError with the closest key that exists."""
    if key not in gguf.metadata:
        raise UsageError(
            f'{gguf.path} has no key "{key}"{did_you_mean(key, gguf.metadata)}', hint=f"modelsmith gguf get {gguf.path}"
        )
    return gguf.metadata.entry(key)


def _check_key(key: str) -> None:
    if reason := _FIXED.get(key):
        raise Unsupported(f"{key} cannot be edited: {reason}", hint="convert the model again instead")
    if key == PADDING:
        raise UsageError(f"{key} is the room for later edits and sized by them", hint="--no-padding removes it")


def _entry(gguf: GGUFFile, key: str, value: MetadataValue | None) -> Entry | None:
    _check_key(key)
    if value is None:
        return None
    if isinstance(value, Entry):
        return value
    if isinstance(value, TypedValue):
        return entry_of(key, value.kind, value.value)
    if key in gguf.metadata:
        return entry_of(key, ValueKind.of(gguf.metadata.entry(key)), value)
    natural = natural_kind(key, value)
    usual = usual_kind(key)
    return entry_of(key, usual if usual is not None and _alike(usual, natural) else natural, value)


def _alike(usual: ValueKind, natural: ValueKind) -> bool:
    """Whether a value can have the usual type: nobody is kept from giving a key another one, in an edit by a program."""
    return (usual.item is None) == (natural.item is None) and usual.type.name[0] == natural.type.name[0]
