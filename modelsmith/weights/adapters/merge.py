"""Merging adapters into the GGUF of their base: one pass, tensor by tensor, quantized on the way where that is wanted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported, UsageError
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.adapters.delta import deltas_of
from modelsmith.weights.adapters.open import open_adapter
from modelsmith.weights.quantize.mixes import FLOATS
from modelsmith.weights.quantize.plan import QuantizePlan, plan_quantize
from modelsmith.weights.quantize.quantize import open_parts, write_quantized
from modelsmith.weights.quantize.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelsmith.weights.adapters.lora import Lora
    from modelsmith.weights.gguf.file import GGUFFile

_MANY = 32


@dataclass(frozen=True, slots=True)
class Merged:
    """What was made: the file, the plan that it followed, and the adapters with their weights."""

    path: Path
    plan: QuantizePlan
    adapters: tuple[tuple[Lora, float], ...]


def merge_adapters(
    base: str | os.PathLike[str],
    adapters: Sequence[tuple[Path, float]],
    target: Path,
    *,
    mix: str | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Merged:
    """Merge adapters, each with a weight, into a GGUF (of a split one, name the first shard) and write it to ``target``.

    ``mix`` quantizes the result, such as ``Q4_K_M``; without one every tensor keeps its type. Raises InvalidAdapter where one
    does not fit, Unsupported for a base that is quantized, and what ``quantize`` raises; then nothing is written.
    """
    parts = open_parts(base)
    opened = open_adapters(adapters, parts)
    plan = with_adapters(plan_quantize(parts, Wishes.of(mix or "COPY")), opened)
    write_quantized(plan, target, threads=threads, overwrite=overwrite, progress=progress)
    return Merged(target, plan, opened)


def open_adapters(adapters: Sequence[tuple[Path, float]], parts: Sequence[GGUFFile]) -> tuple[tuple[Lora, float], ...]:
    """Return adapters that fit a model; raises as ``open_adapter`` does."""
    # Our threads multiply side by side; those that OpenBLAS would start for each of them only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is loaded, which is later
    if not adapters or len(adapters) > _MANY:
        raise UsageError(f"{len(adapters)} adapters cannot be merged", hint=f"name one to {_MANY}")
    return tuple((open_adapter(path, parts), weight) for path, weight in adapters)


def with_adapters(plan: QuantizePlan, adapters: Sequence[tuple[Lora, float]]) -> QuantizePlan:
    """Return a plan whose tensors get what the adapters add; raises Unsupported for tensors that are quantized already."""
    deltas = deltas_of(adapters)
    quantized = sorted({tensor.source.type.name for tensor in plan.tensors if tensor.source.name in deltas} - FLOATS)
    if quantized:
        place = plan.tensors[0].place.file.path
        raise Unsupported(
            f"{place} is quantized ({', '.join(quantized)}): what an adapter adds would be lost in the rounding",
            hint="merge into the F16, BF16 or F32 model, and quantize the result (-t Q4_K_M, in a recipe quantize: Q4_K_M)",
        )
    tensors = tuple(replace(tensor, delta=deltas.get(tensor.source.name)) for tensor in plan.tensors)
    return replace(plan, tensors=tensors)
