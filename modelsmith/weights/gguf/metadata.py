"""GGUF metadata: a read-only mapping whose values are decoded when they are asked for.

Sources: ggml ``gguf.h`` (encoding), Ollama ``fs/ggml/ggml.go`` (which type counts as what).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, overload

from modelsmith.files.segments import FileSlice, Segment
from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import SCALARS, WIDTHS, ValueType

_LENGTH = struct.Struct("<Q")
_LENGTHS = {"<": _LENGTH, ">": struct.Struct(">Q")}


def text_of(data: bytes) -> str:
    """Return the text of bytes that should be UTF-8; what is not becomes U+FFFD, as it does in Go."""
    return data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and where the bytes of its value are (without the type; for arrays without item type and count).

    ``order`` is the byte order of the value as the module struct writes it, ``at`` the byte of the file where the key begins.
    """

    key: bytes
    type: int
    value: Segment
    item_type: int = 0
    count: int = 0
    order: str = "<"
    at: int = field(default=0, compare=False)

    @property
    def value_at(self) -> int:
        """The byte of the file where the value begins."""
        return self.at + len(self.head())

    def raw(self) -> bytes:
        """Return the bytes of the value."""
        return self.value if isinstance(self.value, bytes) else self.value.read()

    def decode(self) -> Any:
        """Return the value: int, float, bool, str, or a GGUFArray."""
        if self.type == ValueType.ARRAY:
            return GGUFArray(self)
        raw = self.raw()
        if self.type == ValueType.STRING:
            return text_of(raw[8:])
        if self.type == ValueType.BOOL:
            return raw != b"\0"
        return struct.unpack(f"{self.order}{SCALARS[self.type]}", raw)[0]

    def head(self) -> bytes:
        """Return what stands before the value in a file: key, type and, for arrays, item type and count."""
        start = _LENGTH.pack(len(self.key)) + self.key + struct.pack("<I", self.type)
        return start + struct.pack("<IQ", self.item_type, self.count) if self.type == ValueType.ARRAY else start

    @classmethod
    def of(cls, key: str, type_: int, value: bool | float | str) -> Entry:
        """Return the entry of a scalar or a text; raises ValueError where the value does not fit the type."""
        name = key.encode()
        if type_ == ValueType.STRING:
            data = str(value).encode()
            return cls(name, type_, _LENGTH.pack(len(data)) + data)
        try:
            return cls(name, type_, struct.pack(f"<{SCALARS[type_]}", value))
        except struct.error as error:
            raise ValueError(f"{value!r} does not fit {ValueType(type_).name}") from error


class GGUFArray(Sequence[Any]):
    """An array of a GGUF. Its length is free; items are read from the file when they are asked for."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @property
    def item_type(self) -> ValueType:
        """The type of all items."""
        return ValueType(self._entry.item_type)

    @cached_property
    def _raw(self) -> bytes:
        return self._entry.raw()

    @cached_property
    def _offsets(self) -> array[int]:
        raw, position = self._raw, 0
        unpack = _LENGTHS[self._entry.order].unpack_from
        offsets = array("Q", bytes(8 * len(self)))
        for index in range(len(self)):
            offsets[index] = position
            position += 8 + unpack(raw, position)[0]
        return offsets

    def __len__(self) -> int:
        return self._entry.count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        kind = self._entry.item_type
        if kind == ValueType.STRING:
            start = self._offsets[number]
            length = _LENGTHS[self._entry.order].unpack_from(self._raw, start)[0]
            return text_of(self._raw[start + 8 : start + 8 + length])
        width = WIDTHS[kind]
        value = self._entry.value
        item = (
            value[number * width : (number + 1) * width]
            if isinstance(value, bytes)
            else FileSlice(value.file, value.start + number * width, width).read()
        )
        return Entry(b"", kind, item, order=self._entry.order).decode()

    def __iter__(self) -> Iterator[Any]:
        raw, kind = self._raw, self._entry.item_type
        if kind == ValueType.STRING:
            yield from map(text_of, self.raw_texts())
        elif kind == ValueType.BOOL:
            yield from (byte != 0 for byte in raw)
        else:
            yield from (item for (item,) in struct.iter_unpack(f"{self._entry.order}{SCALARS[kind]}", raw))

    def raw_texts(self) -> Iterator[bytes]:
        """Yield the bytes of each text of an array of texts."""
        raw, position, unpack = self._raw, 0, _LENGTHS[self._entry.order].unpack_from
        for _ in range(len(self)):
            start = position + 8
            position = start + unpack(raw, position)[0]
            yield raw[start:position]

    def __repr__(self) -> str:
        return f"<array of {len(self)} {self.item_type.name}>"


class Metadata(Mapping[str, Any]):
    """The keys of a GGUF in file order, with typed getters that follow Ollama: a value of another type counts as absent."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> Any:
        return self._entries[key].decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries as they stand in the file."""
        return tuple(self._entries.values())

    def entry(self, key: str) -> Entry:
        """Return the entry of ``key``; raises KeyError."""
        return self._entries[key]

    def without(self, *keys: str) -> Metadata:
        """Return the metadata without these keys."""
        return Metadata({key: entry for key, entry in self._entries.items() if key not in keys})

    def type_of(self, key: str) -> ValueType:
        """Return the type of the value of ``key``; raises KeyError."""
        return ValueType(self._entries[key].type)

    def text(self, key: str) -> str:
        """Return the text of ``key``, ``""`` when it is absent or not a string."""
        value = self._typed(key, ValueType.STRING)
        return value if isinstance(value, str) else ""

    def uint(self, key: str) -> int:
        """Return the number of ``key``, 0 when it is absent or not exactly an UINT32."""
        return int(self._typed(key, ValueType.UINT32) or 0)

    def flag(self, key: str) -> bool:
        """Return the truth of ``key``, False when it is absent or not a BOOL."""
        return bool(self._typed(key, ValueType.BOOL))

    def _typed(self, key: str, type_: ValueType) -> Any:
        entry = self._entries.get(key)
        return entry.decode() if entry is not None and entry.type == type_ else None

    @property
    def architecture(self) -> str:
        """The value of ``general.architecture``; ``"unknown"`` where there is none, as Ollama says."""
        value = self._typed("general.architecture", ValueType.STRING)
        return value if isinstance(value, str) else "unknown"

    def of_architecture(self, key: str) -> str:
        """Return the full name of a key of the architecture: ``block_count`` becomes ``llama.block_count``."""
        return f"{self.architecture}.{key}"

    def changed(self, changes: Mapping[str, Entry | None]) -> Metadata:
        """Return the metadata with entries replaced in place, new ones added at the end, and those with None removed."""
        entries = {key: changes.get(key, entry) for key, entry in self._entries.items()} | {
            key: entry for key, entry in changes.items() if key not in self._entries
        }
        return Metadata({key: entry for key, entry in entries.items() if entry is not None})

    def moved_last(self, *entries: Entry) -> Metadata:
        """Return the metadata with these entries at the end, in this order, and older ones of the same keys removed."""
        added = {text_of(entry.key): entry for entry in entries}
        return Metadata({key: entry for key, entry in self._entries.items() if key not in added} | added)
