"""Whether the numbers are numbers: NaN and infinity in floats and in the scales of blocks; tensors that are all zeros.

Source: ggml ``ggml-quants.c`` (ggml_validate_row_data), ``ggml-common.h`` (where the scales of a block are).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.progress import Progress
from modelsmith.weights.gguf.read.fault import Fault

if TYPE_CHECKING:
    from modelsmith.progress import ProgressSink
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.gguf.types import TensorType

_CHUNK = 4 << 20
_BAD = "the weights are broken and answers will be noise; get the file from somewhere else"
_ZEROS = "a download that reserved its space and was not finished looks like this; fetch the file again"
# Floats: the width of a number, and the bits of its exponent, all set in NaN and infinity.
_FLOATS = {"F32": (4, 0x7F800000), "F16": (2, 0x7C00), "BF16": (2, 0x7F80), "F64": (8, 0x7FF0000000000000)}
# Blocks: where in a block its scales are, each an F16.
_SCALES: dict[str, tuple[int, ...]] = {
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q8_0": (0,),
    "Q8_1": (0, 2),
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
    "IQ2_XXS": (0,),
    "IQ2_XS": (0,),
    "IQ2_S": (0,),
    "IQ3_XXS": (0,),
    "IQ3_S": (0,),
    "IQ1_S": (0,),
    "IQ4_NL": (0,),
    "IQ4_XS": (0,),
    "TQ1_0": (52,),
    "TQ2_0": (64,),
    "Q1_0": (0,),
}


def check_numbers(gguf: GGUFFile, faults: Faults, progress: ProgressSink) -> None:
    """Read every tensor, a few megabytes at a time, and note those whose numbers are none; raises UnreadableFile."""
    total, done = sum(tensor.nbytes for tensor in gguf.tensors), 0
    zeros: list[Tensor] = []
    descriptor = gguf.stamp.open()
    try:
        for tensor in gguf.tensors:
            if not _check(gguf, tensor, descriptor, faults):
                zeros.append(tensor)
            done += tensor.nbytes
            progress(Progress("checking numbers", gguf.path.name, done, total))
    finally:
        os.close(descriptor)
    # rows of ones that were trained to nothing, biases and the like may well be zero
    large = [zero for zero in zeros if len(zero.dims) > 1 and zero.nbytes >= _SMALLEST]
    if large:
        first = min(large, key=lambda tensor: tensor.offset)
        message = f'{len(large)} of {len(gguf.tensors)} tensors are filled with zeros, the first is "{first.name}"'
        place = gguf.data_offset + first.offset
        faults.note(Fault("zeros", message, place, "numbers", _ZEROS, Severity.WARNING))


_SMALLEST = 4096


def _check(gguf: GGUFFile, tensor: Tensor, descriptor: int, faults: Faults) -> bool:
    """Note a tensor whose numbers are none; return whether any of its bytes is not zero."""
    import numpy as np

    start, width = gguf.data_offset + tensor.offset, tensor.type.width
    step = max(_CHUNK // width, 1) * width
    bad, first, anything = 0, -1, False
    for position in range(0, tensor.nbytes, step):
        raw = os.pread(descriptor, min(step, tensor.nbytes - position), start + position)
        if len(raw) < min(step, tensor.nbytes - position):
            raise gguf.stamp.changed()
        data = np.frombuffer(raw, "u1")
        anything = anything or bool(data.any())
        wrong = _wrong(tensor.type, data, gguf.order)
        if wrong is not None and wrong.size:
            first = start + position + int(wrong[0]) if first < 0 else first
            bad += int(wrong.size)
    if bad:
        what = "numbers" if tensor.type.name in _FLOATS else "blocks with scales"
        message = f'tensor "{tensor.name}" ({tensor.type.name}) has {bad} {what} that are NaN or infinite'
        faults.add("not-a-number", message, first, "finite numbers", _BAD)
    return anything


def _wrong(kind: TensorType, data: Any, order: str) -> Any:
    """Return where in the bytes of whole blocks the numbers or blocks begin that are not finite; None for integers."""
    import numpy as np

    if kind.name in _FLOATS:
        width, exponent = _FLOATS[kind.name]
        return np.flatnonzero((data.view(f"{order}u{width}") & exponent) == exponent) * width
    blocks = data.reshape(-1, kind.width)
    if kind.name == "MXFP4":
        return np.flatnonzero(blocks[:, 0] == 0xFF) * kind.width
    if kind.name == "Q8_K":
        numbers = np.ascontiguousarray(blocks[:, :4]).view(f"{order}u4")[:, 0]
        return np.flatnonzero((numbers & 0x7F800000) == 0x7F800000) * kind.width
    if kind.name == "IQ1_M":  # the highest four bits of four numbers make the scale
        parts = np.ascontiguousarray(blocks[:, 48:56]).view(f"{order}u2")
        return np.flatnonzero((parts[:, 3] & 0x7000 == 0x7000) & (parts[:, 2] >> 12 >= 12)) * kind.width
    if kind.name not in _SCALES:
        return None
    wrong = np.zeros(len(blocks), bool)
    high = 0 if order == ">" else 1
    for offset in _SCALES[kind.name]:
        wrong |= (blocks[:, offset + high] & 0x7C) == 0x7C
    return np.flatnonzero(wrong) * kind.width
