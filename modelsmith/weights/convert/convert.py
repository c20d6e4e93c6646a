"""From a folder of Safetensors to a GGUF in one pass, in floats or quantized: nothing is written in between.

A tensor is read, brought into llama.cpp's order, quantized and written piece by piece, by as many threads as the machine has, so
that memory depends on the largest matrix at most and not on the model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.convert.model import ConvertedModel, has_fp8, open_checkpoint
from modelsmith.weights.quantize.imatrix import ImportanceMatrix
from modelsmith.weights.quantize.mixes import FLOATS, MIXES, find_mix
from modelsmith.weights.quantize.plan import QuantizePlan, plan_quantize
from modelsmith.weights.quantize.quantize import Quantized, write_quantized
from modelsmith.weights.quantize.wishes import TensorRule, Wishes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from modelsmith.weights.convert.checkpoint import Checkpoint


def plan_import(
    folder: str | os.PathLike[str] | Checkpoint,
    type: str | None = None,  # noqa: A002 - the name of the option
    *,
    rules: Iterable[str] = (),
    imatrix: str | os.PathLike[str] | None = None,
    name: str | None = None,
    pretokenizer: str | None = None,
) -> QuantizePlan:
    """Plan the conversion of a folder: every key, every tensor's type and place, the size to the byte. Reads headers only.

    ``type`` is F32, F16, BF16 or a quantization such as Q4_K_M; None keeps the floats that the checkpoint has.
    Raises UnreadableFile, InvalidCheckpoint, Unsupported or UsageError, each with the way out.
    """
    mix = None if type is None else find_mix(type)
    floats = mix.name if mix is not None and mix.name in FLOATS else None
    if mix is None and has_fp8(folder):
        floats = "BF16"
    model = open_checkpoint(folder, floats, name=name, pretokenizer=pretokenizer)
    return plan_model(model, type, rules=rules, imatrix=imatrix)


def plan_model(
    model: ConvertedModel,
    type: str | None = None,  # noqa: A002 - the name of the option
    *,
    rules: Iterable[str] = (),
    imatrix: str | os.PathLike[str] | None = None,
) -> QuantizePlan:
    """Plan what becomes of a checkpoint that was opened (with floats of that type, where ``type`` is one)."""
    mix = MIXES["COPY"] if type is None or find_mix(type).name in FLOATS else find_mix(type)
    matrix = ImportanceMatrix.open(imatrix) if imatrix is not None else None
    plan = plan_quantize((model,), wishes_for(model, Wishes(mix, tuple(map(TensorRule.parse, rules)))), matrix)
    made = model.metadata.uint("general.file_type")
    return (
        replace(plan, mix=next((mix for mix in MIXES.values() if mix.file_type == made), mix))
        if mix.type is None
        else plan
    )


def wishes_for(model: ConvertedModel, wishes: Wishes) -> Wishes:
    """Return the wishes with what a checkpoint needs besides: the experts of gpt-oss are trained in MXFP4 and stay so."""
    if wishes.mix.type is None or all(tensor.type.name != "MXFP4" for tensor in model.tensors):
        return wishes
    return replace(wishes, rules=(*wishes.rules, TensorRule.parse(r"_exps\.weight$=MXFP4")))


def import_checkpoint(
    folder: str | os.PathLike[str],
    target: str | os.PathLike[str],
    type: str | None = None,  # noqa: A002 - the name of the option
    *,
    rules: Iterable[str] = (),
    imatrix: str | os.PathLike[str] | None = None,
    name: str | None = None,
    pretokenizer: str | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    progress: ProgressSink = silent,
) -> Quantized:
    """Convert a folder of Safetensors to a GGUF at ``target``; the file appears when it is complete, or not at all."""
    plan = plan_import(folder, type, rules=rules, imatrix=imatrix, name=name, pretokenizer=pretokenizer)
    return write_quantized(plan, target, threads=threads, overwrite=overwrite, progress=progress)
