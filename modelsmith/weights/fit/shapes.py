"""Models by their shape alone, so that nothing needs to be downloaded to ask whether they fit."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.files.segments import FileStamp
from modelsmith.weights.fit.known import LATEST, SHAPES
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import Entry, Metadata
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, TENSOR_TYPES, ValueType, padding

if TYPE_CHECKING:
    from modelsmith.weights.fit.known import KnownShape

_F32, _F16 = TENSOR_TYPES[0], TENSOR_TYPES[1]
_MIXED = {kind.name: kind for kind in TENSOR_TYPES.values() if kind.name in {"MXFP4", "BF16"}}
_AS_PUBLISHED = "MXFP4"


def known_shape(name: str) -> KnownShape:
    """Return the shape of a model by Ollama's name, without a tag the usual one; raises UsageError for one not in the table."""
    said = name.strip().lower()
    shape = SHAPES.get(said) or SHAPES.get(f"{said.removesuffix(':latest')}:{LATEST.get(said.removesuffix(':latest'))}")
    if shape is None:
        raise UsageError(
            f'the shape of "{name}" is not known here{did_you_mean(name, SHAPES)}',
            hint=f"known are {', '.join(SHAPES)}; for others name a file, a URL or a model",
        )
    return shape


def shape_header(name: str, shape: KnownShape) -> GGUFFile:
    """Return the header that the model's F16 GGUF has, made from its shape; there is no file behind it."""
    entries = [Entry.of("general.architecture", ValueType.STRING, shape.architecture)]
    entries += [
        Entry.of(f"{shape.architecture}.{key}", ValueType.UINT32, value) for key, value in shape.numbers().items()
    ]
    entries.append(Entry.of("general.file_type", ValueType.UINT32, 1))
    tensors, offset = [], 0
    for tensor, dims in shape.tensors():
        kind = _F32 if len(dims) == 1 or tensor.endswith("bias") else _F16
        nbytes = prod(dims) * kind.width
        tensors.append(Tensor(tensor, dims, kind, offset, nbytes))
        offset += nbytes + padding(nbytes, DEFAULT_ALIGNMENT)
    metadata = Metadata({entry.key.decode(): entry for entry in entries})
    stamp = FileStamp(Path(name), offset, 0, 0)
    return GGUFFile(stamp, 3, metadata, tuple(tensors), DEFAULT_ALIGNMENT, 0)


def shape_model(name: str, quantization: str = "") -> FitModel:
    """Return a known model in a quantization, with the sizes that `modelsmith gguf quantize` would give its tensors.

    Without one it is Q4_K_M, for gpt-oss what is published: experts in MXFP4, all else in BF16.
    """
    shape = known_shape(name)
    header = shape_header(name, shape)
    if shape.architecture == "gpt-oss" and quantization.upper() in {"", _AS_PUBLISHED}:
        return replace(FitModel.of_parts((_published(header),)), name=name, file_type=_AS_PUBLISHED)
    return quantized_model((header,), name, quantization or "Q4_K_M")


def _published(header: GGUFFile) -> GGUFFile:
    """Return the header with experts in MXFP4 and the other matrices in BF16."""
    found = []
    for tensor in header.tensors:
        kind = tensor.type
        if kind == _F16:
            kind = _MIXED[_AS_PUBLISHED if tensor.name.endswith("_exps.weight") else "BF16"]
        found.append(replace(tensor, type=kind, nbytes=prod(tensor.dims) // kind.block * kind.width))
    return replace(header, tensors=tuple(found))


def quantized_model(parts: tuple[GGUFFile, ...], name: str, quantization: str) -> FitModel:
    """Return a model as it would be in another quantization; raises what ``plan_quantize`` raises."""
    from modelsmith.weights.quantize.plan import plan_quantize
    from modelsmith.weights.quantize.wishes import Wishes

    plan = plan_quantize(parts, Wishes.of(quantization, allow_requantize=True))
    return replace(FitModel.of_plan(plan, name), file_type=quantization)
