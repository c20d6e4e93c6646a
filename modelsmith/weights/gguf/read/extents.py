"""Where the tensors of a GGUF lie: inside the file, on aligned places, none over another.

Sources: ggml ``gguf.cpp`` (padding, offsets); CVE-2026-7482 (an offset behind the end read foreign memory).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.gguf.types import padding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.read.tensors import Tensor

_CONTINUE = (
    "the download is unfinished: continue it (`curl -L -C - -o FILE URL`), or fetch it again; "
    "if the file came in pieces, join them in order: cat PIECE… > FILE"
)
_CORRUPT = "the file is damaged or was made to do harm; get it from somebody else"


def check_extents(tensors: Sequence[Tensor], data_offset: int, alignment: int, size: int, faults: Faults) -> None:
    """Note what is wrong with the places of tensors in a file of ``size`` bytes."""
    expected = 0
    for tensor in tensors:
        if tensor.offset % alignment:
            faults.add(
                "misaligned-tensor",
                f'tensor "{tensor.name}" is at offset {tensor.offset}, not at a multiple of the alignment',
                tensor.at,
                f"a multiple of {alignment}",
                _CORRUPT,
            )
        expected += tensor.nbytes + padding(tensor.nbytes, alignment)
    _check_overlaps(tensors, faults)
    _check_end(tensors, data_offset, expected, size, faults)


def _check_overlaps(tensors: Sequence[Tensor], faults: Faults) -> None:
    end, owner = 0, ""
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        if not tensor.nbytes:
            continue
        if tensor.offset < end:
            faults.add(
                "overlapping-tensors",
                f'tensor "{tensor.name}" is at offset {tensor.offset}, not at {end} or later: it overlaps "{owner}"',
                tensor.at,
                f"an offset from {end} on",
                _CORRUPT,
            )
        if tensor.offset + tensor.nbytes > end:
            end, owner = tensor.offset + tensor.nbytes, tensor.name


def _check_end(tensors: Sequence[Tensor], data_offset: int, regular: int, size: int, faults: Faults) -> None:
    """Tell a file that is cut (the tensors stand back to back and it ends too early) from offsets that lie."""
    outside = [tensor for tensor in tensors if tensor.nbytes and data_offset + tensor.offset + tensor.nbytes > size]
    lying = [tensor for tensor in outside if tensor.offset + tensor.nbytes > regular]
    for tensor in lying:
        needed = data_offset + tensor.offset + tensor.nbytes
        faults.add(
            "tensor-outside-file",
            f'tensor "{tensor.name}" needs the file to have {needed} bytes, it has {size}',
            tensor.at,
            f"an offset up to {max(size - data_offset - tensor.nbytes, 0)}",
            _CORRUPT,
        )
    if outside and not lying:
        last = max(outside, key=lambda tensor: tensor.offset)
        needed = data_offset + last.offset + last.nbytes
        missing = needed - size
        faults.add(
            "truncated",
            f'the file is cut: its last tensor "{last.name}" needs the file to have {needed} bytes, it has {size}; '
            f"{missing} bytes ({missing / needed:.1%}) are missing, {len(outside)} of {len(tensors)} tensors are cut or gone",
            size,
            f"{missing} more bytes",
            _CONTINUE,
        )
