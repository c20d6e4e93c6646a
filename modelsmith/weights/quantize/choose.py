"""Choosing the mix: the best one whose result fits a size, or whatever else ``fits`` asks for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.weights.quantize.mixes import FLOATS, find_mix
from modelsmith.weights.quantize.plan import plan_quantize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.quantize.imatrix import ImportanceMatrix
    from modelsmith.weights.quantize.plan import QuantizePlan
    from modelsmith.weights.quantize.wishes import Wishes

_BEST_FIRST = (
    "Q8_0",
    "Q6_K",
    "Q5_K_M",
    "Q5_K_S",
    "Q4_K_M",
    "Q4_K_S",
    "IQ4_XS",
    "Q3_K_L",
    "Q3_K_M",
    "IQ3_S",
    "Q3_K_S",
    "Q2_K",
)
_WITH_IMPORTANCE = ("IQ3_XXS", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)(b?)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(text: str) -> int:
    """Return the bytes of ``12G`` or ``12GB`` (thousands) and ``12GiB`` or ``12Gi`` (1024); raises UsageError."""
    match = _SIZE.fullmatch(text.strip())
    size = float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()] if match else 0
    if not 1 <= size < 1 << 62:
        raise UsageError(f'"{text}" is no size', hint="write 12G (12,000,000,000 bytes), 12GiB or 900M")
    return int(size)


def mixes_to_try(parts: Sequence[GGUFFile], imatrix: ImportanceMatrix | None) -> Iterator[str]:
    """Yield the names of the mixes to try, the best first: the floats that the model has, then fewer and fewer bits."""
    sizes = dict.fromkeys(FLOATS, 0)
    for part in parts:
        for tensor in part.tensors:
            if tensor.type.name in FLOATS and len(tensor.dims) > 1:
                sizes[tensor.type.name] += tensor.nbytes
    widest = max(sizes, key=lambda name: sizes[name])
    if sizes[widest]:
        yield widest
        if widest == "F32":
            yield "BF16"
    yield from _BEST_FIRST
    if imatrix is not None:
        yield from _WITH_IMPORTANCE


def choose(
    parts: Sequence[GGUFFile],
    wishes: Wishes,
    fits: Callable[[QuantizePlan], bool],
    imatrix: ImportanceMatrix | None = None,
) -> QuantizePlan:
    """Return the plan of the best mix for which ``fits`` is true; ``wishes`` says all but the mix.

    ``fits`` may look at the size of the file (``lambda plan: plan.size <= limit``) or estimate the memory that the model will
    take. Raises UsageError where none fits, and as ``plan_quantize`` does.
    """
    plan: QuantizePlan | None = None
    for name in mixes_to_try(parts, imatrix):
        plan = plan_quantize(parts, replace(wishes, mix=find_mix(name)), imatrix)
        if fits(plan):
            return plan
    smallest = plan.mix.name if plan else ""
    with_imatrix = "" if imatrix else "; with --imatrix smaller ones can be tried"
    raise UsageError(
        f"no quantization is small enough: {smallest} would take {plan.size if plan else 0:,} bytes",
        hint=f"allow more (of memory: or a shorter context), or take a model with fewer parameters{with_imatrix}",
    )
