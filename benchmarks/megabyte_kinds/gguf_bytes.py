"""The bytes of small GGUFs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def string(key: str, value: str) -> bytes:
    """Return a key with a text."""
    return _text(key) + struct.pack("<I", 8) + _text(value)


def number(key: str, value: int) -> bytes:
    """Return a key with a number."""
    return _text(key) + struct.pack("<II", 4, value)


def strings(key: str, values: list[str]) -> bytes:
    """Return a key with a list of texts."""
    return _text(key) + struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(_text, values))


def numbers(key: str, values: list[int]) -> bytes:
    """Return a key with a list of numbers."""
    return _text(key) + struct.pack("<IIQ", 9, 5, len(values)) + struct.pack(f"<{len(values)}i", *values)


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(path: Path, keys: list[bytes], tensors: list[bytes] | None = None, data: bytes = b"") -> None:
    """Write a GGUF of these keys and tensors."""
    tensors = tensors or []
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + b"".join(tensors)
    path.write_bytes(head + bytes(-len(head) % 32) + data)


def tensor(name: str, place: int) -> bytes:
    """Return the record of a tensor of eight F32."""
    return _text(name) + struct.pack("<IQIQ", 1, 8, 0, place)
