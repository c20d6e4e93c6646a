"""Room in a header for later edits: a metadata key that holds nothing.

The tensors' data begins where the header ends, rounded up to the alignment, so room must be part of the header. An array
of 64 bit numbers carries it: every reader skips one cheaply, and ``ollama show`` and ``/api/show`` leave it out, which
they would not do with a text. What is too little for an array is one number.
"""

from __future__ import annotations

from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.types import ValueType

PADDING = "modelsmith.padding"
ROOM = 64 << 10
"""Bytes that a header gets when it must grow: chat templates have 2 to 20 kB."""

_NAME = PADDING.encode()
_ARRAY_ITEM = ValueType.UINT64


def filling(room: int, alignment: int) -> tuple[Entry, ...] | None:
    """Return the entries that fill ``room`` bytes up to less than ``alignment``, which is what zeros may fill; None: none do."""
    if 0 <= room < alignment:
        return ()
    for entry in _entries(room):
        if 0 <= room - len(entry.head()) - len(entry.value) < alignment:
            return (entry,)
    return None


def _entries(room: int) -> tuple[Entry, ...]:
    empty = Entry(_NAME, ValueType.ARRAY, b"", _ARRAY_ITEM, 0)
    count = (room - len(empty.head())) // 8
    numbers = (Entry(_NAME, ValueType.UINT64, bytes(8)), Entry(_NAME, ValueType.UINT8, bytes(1)))
    return (Entry(_NAME, ValueType.ARRAY, bytes(8 * count), _ARRAY_ITEM, count), *numbers) if count > 0 else numbers
