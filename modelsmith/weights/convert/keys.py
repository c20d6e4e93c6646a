"""Metadata of a GGUF as it is put together: each key with the type that llama.cpp reads.

Source: ggml ``gguf-py/gguf/gguf_writer.py`` (types).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.gguf.metadata import Entry, Metadata
from modelsmith.weights.gguf.types import SCALARS, ValueType

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH = struct.Struct("<Q")


class Keys:
    """The keys so far, in their order. ``*.name`` becomes a key of the architecture. Later values replace earlier ones."""

    def __init__(self, architecture: str) -> None:
        self.architecture = architecture
        self._entries: dict[str, Entry] = {}
        self.text("general.architecture", architecture)

    def __contains__(self, key: str) -> bool:
        return self._full(key) in self._entries

    @property
    def metadata(self) -> Metadata:
        """The keys as a GGUF holds them."""
        return Metadata(self._entries)

    def whole(self, key: str, value: int) -> None:
        """Set an UINT32."""
        self._set(key, ValueType.UINT32, value)

    def signed(self, key: str, value: int) -> None:
        """Set an INT32."""
        self._set(key, ValueType.INT32, value)

    def real(self, key: str, value: float) -> None:
        """Set a FLOAT32."""
        self._set(key, ValueType.FLOAT32, value)

    def flag(self, key: str, value: bool) -> None:
        """Set a BOOL."""
        self._set(key, ValueType.BOOL, value)

    def text(self, key: str, value: str) -> None:
        """Set a STRING."""
        self._set(key, ValueType.STRING, value)

    def texts(self, key: str, values: Sequence[str | bytes]) -> None:
        """Set an array of STRING."""
        parts: list[bytes] = []
        for value in values:
            data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            parts += (_LENGTH.pack(len(data)), data)
        self._array(key, ValueType.STRING, b"".join(parts), len(values))

    def numbers(self, key: str, kind: ValueType, values: Sequence[float]) -> None:
        """Set an array of numbers."""
        self._array(key, kind, struct.pack(f"<{len(values)}{SCALARS[kind]}", *values), len(values))

    def _array(self, key: str, kind: ValueType, data: bytes, count: int) -> None:
        name = self._full(key)
        self._entries[name] = Entry(name.encode(), ValueType.ARRAY, data, kind, count)

    def _set(self, key: str, kind: ValueType, value: float | str) -> None:
        name = self._full(key)
        try:
            self._entries[name] = Entry.of(name, kind, value)
        except (ValueError, OverflowError, UnicodeEncodeError) as error:
            raise InvalidCheckpoint(
                f"{name} cannot be {value!r:.60}: {error}",
                hint="the configuration of the checkpoint says so; fetch it again",
            ) from error

    def _full(self, key: str) -> str:
        return f"{self.architecture}.{key[2:]}" if key.startswith("*.") else key
