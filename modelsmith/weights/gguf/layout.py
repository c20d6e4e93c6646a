"""Laying out a GGUF: which bytes stand where, as segments that are streamed and never held in memory whole.

Sources: ggml ``gguf.cpp`` (order of the parts, padding).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from modelsmith.files.segments import Segment, joined
from modelsmith.weights.gguf.types import MAGIC, padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsmith.weights.gguf.metadata import Entry
    from modelsmith.weights.gguf.read.tensors import Tensor


VERSION = 3


def header(
    entries: Sequence[Entry], infos: Sequence[bytes], alignment: int, version: int = VERSION
) -> tuple[Segment, ...]:
    """Return everything before the tensors' data: start, metadata, tensor records, padding."""
    segments: list[Segment] = [struct.pack("<4sIQQ", MAGIC, version, len(infos), len(entries))]
    for entry in entries:
        segments += (entry.head(), entry.value)
    segments += infos
    size = sum(map(len, segments))
    return joined((*segments, bytes(padding(size, alignment))))


def packed(entries: Sequence[Entry], tensors: Iterable[tuple[Tensor, Segment]], alignment: int) -> tuple[Segment, ...]:
    """Return a whole GGUF with the tensors back to back in the given order, each padded to ``alignment``."""
    infos: list[bytes] = []
    data: list[Segment] = []
    offset = 0
    for tensor, place in tensors:
        infos.append(tensor.info(offset))
        gap = padding(tensor.nbytes, alignment)
        data += (place, bytes(gap))
        offset += tensor.nbytes + gap
    return joined((*header(entries, infos, alignment), *data))
