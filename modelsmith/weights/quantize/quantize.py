"""Quantizing a GGUF file: planned from its header, done in one pass, written whole or not at all."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.files.outputs import holds
from modelsmith.files.replacing import check_output, replacing
from modelsmith.files.stream import FLUSH, chunks, start_flushing, write_all
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.quantize.imatrix import ImportanceMatrix
from modelsmith.weights.quantize.plan import QuantizePlan, plan_quantize
from modelsmith.weights.quantize.run import Quantizer
from modelsmith.weights.quantize.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.weights.quantize.codec import Codec
    from modelsmith.weights.quantize.error import TensorError

_SHARD = re.compile(r"(?P<prefix>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Quantized:
    """What was made: the file, the plan it followed, and each tensor's error where that was asked for."""

    path: Path
    plan: QuantizePlan
    errors: Mapping[str, TensorError]


def quantize(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    wishes: Wishes | str,
    *,
    imatrix: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    measure: bool = False,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Quantized:
    """Quantize a GGUF (of a split one, name the first shard) and write it to ``target``.

    ``wishes`` are a mix such as ``Q4_K_M``, and exceptions (``Wishes.of``); ``measure`` also finds out each tensor's error.
    Raises UsageError, Unsupported, InvalidGGUF or UnreadableFile, and then nothing is written.
    """
    matrix = ImportanceMatrix.open(imatrix) if imatrix is not None else None
    plan = plan_quantize(open_parts(source), Wishes.of(wishes) if isinstance(wishes, str) else wishes, matrix)
    return write_quantized(plan, target, threads=threads, measure=measure, overwrite=overwrite, progress=progress)


def open_parts(path: str | os.PathLike[str]) -> tuple[GGUFFile, ...]:
    """Open a GGUF, or all shards of the one whose first shard is named; raises UsageError where they are not all there."""
    first = GGUFFile.open(path)
    count = first.metadata.get("split.count", 1)
    if not isinstance(count, int) or count <= 1:
        return (first,)
    match = _SHARD.fullmatch(first.path.name)
    if match is None or int(match["count"]) != count:
        raise UsageError(
            f"{first.path} is one of {count} shards, and its name does not say which",
            hint="call them NAME-00001-of-00003.gguf and so on, as llama-gguf-split does",
        )
    names = [f"{match['prefix']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    return tuple(GGUFFile.open(first.path.with_name(name)) for name in names)


def check_target(plan: QuantizePlan, target: Path, *, overwrite: bool) -> None:
    """Raise where a file cannot be written: it is one of the sources, exists, has no folder, or does not fit the disk.

    One that exists and begins as the plan does may be the very file; ``write_quantized`` finds that out.
    """
    if not overwrite and holds(target, plan.size, chunks(plan.head)):
        return
    _check(plan, target, overwrite=overwrite)


def _check(plan: QuantizePlan, target: Path, *, overwrite: bool) -> None:
    sources = {tensor.place.file.path for tensor in plan.tensors} | (
        {plan.imatrix.stamp.path} if plan.imatrix else set()
    )
    check_output(target, sources, overwrite=overwrite, size=plan.size)


def write_quantized(
    plan: QuantizePlan,
    target: str | os.PathLike[str],
    *,
    threads: int | None = None,
    codec: Codec | None = None,
    measure: bool = False,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Quantized:
    """Carry out a plan. The file appears when it is complete and on the disk; until then, and on any error, nothing does."""
    path = Path(target)
    quantizer = Quantizer(plan, threads=threads, codec=codec, measure=measure, progress=progress)
    if not overwrite and path.exists() and holds(path, plan.size, quantizer.chunks()):
        return Quantized(path, plan, quantizer.errors)
    _check(plan, path, overwrite=overwrite)
    quantizer = Quantizer(plan, threads=threads, codec=codec, measure=measure, progress=progress)
    with replacing(path.resolve()) as (descriptor, _):
        written = flushed = 0
        for chunk in quantizer.chunks():
            write_all(descriptor, chunk)
            written += len(chunk)
            if written - flushed >= FLUSH:
                start_flushing(descriptor, flushed, written - flushed)
                flushed = written
        if os.fstat(descriptor).st_size != plan.size:
            raise UnreadableFile(f"{path}: {plan.size:,} bytes were written, and the disk has fewer")
    return Quantized(path, plan, quantizer.errors)
