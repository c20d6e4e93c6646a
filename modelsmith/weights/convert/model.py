"""A checkpoint as the GGUF that it will be: header and tensors are known, the tensors' bytes are computed when they are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidCheckpoint, UsageError
from modelsmith.weights.convert.arranged import Cast
from modelsmith.weights.convert.checkpoint import Checkpoint
from modelsmith.weights.convert.config import Config
from modelsmith.weights.convert.describe import general_keys
from modelsmith.weights.convert.families import find_family
from modelsmith.weights.convert.families.family import natural_kind
from modelsmith.weights.convert.fp8 import KINDS
from modelsmith.weights.convert.keys import Keys
from modelsmith.weights.convert.tokenizers import tokenizer_keys
from modelsmith.weights.gguf.arrange.canonical import tensor_position
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.layout import VERSION, header
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, MAX_TENSOR_NAME, QUANTIZATION_VERSION, padding
from modelsmith.weights.quantize.mixes import FLOATS, TYPES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from modelsmith.files.segments import Descriptors, FileStamp
    from modelsmith.weights.convert.rows import Rows
    from modelsmith.weights.gguf.metadata import Metadata

_FILE_TYPES = {"F32": 0, "F16": 1, "BF16": 32}
_MXFP4_MOE = 38


@dataclass(frozen=True, slots=True)
class Computed:
    """The place of a tensor's bytes: nowhere; they come from rows of the checkpoint's tensors."""

    rows: Rows
    file: FileStamp
    start: int = 0

    @property
    def files(self) -> tuple[FileStamp, ...]:
        """The files that they are computed from."""
        return self.rows.files

    def fill(self, descriptors: Descriptors, start: int, view: memoryview) -> None:
        """Fill ``view`` with the bytes from ``start`` on."""
        self.rows.fill(descriptors, start, view)


@dataclass(frozen=True, slots=True)
class ConvertedModel(GGUFFile):
    """A GGUF that is not written yet. What reads its tensors asks ``data_of``, as of any other."""

    rows: Mapping[str, Rows] = field(default_factory=dict)
    sources: tuple[FileStamp, ...] = ()

    def data_of(self, tensor: Tensor) -> Computed:  # type: ignore[override]
        """Return where the bytes of a tensor come from."""
        return Computed(self.rows[tensor.name], self.stamp)


def open_checkpoint(
    folder: str | os.PathLike[str] | Checkpoint,
    floats: str | None = None,
    *,
    name: str | None = None,
    pretokenizer: str | None = None,
) -> ConvertedModel:
    """Read a checkpoint's header files and return the GGUF that it makes.

    ``floats`` is the type of its matrices, F32, F16 or BF16; None keeps the one that each has (FP8 becomes F32, so that what is
    quantized from it loses nothing on the way). Norms, biases and routers are F32 in any case.
    Raises UnreadableFile, InvalidCheckpoint or Unsupported, each with the way out.
    """
    checkpoint = folder if isinstance(folder, Checkpoint) else Checkpoint.open(folder)
    family = find_family(Config(checkpoint.config, checkpoint.folder / "config.json").architecture)(checkpoint)
    tensors = sorted(family.tensors(), key=lambda tensor: tensor_position(tensor[0]))
    keys = Keys(family.architecture)
    general_keys(checkpoint, keys, tensors, name)
    family.keys(keys)
    tokenizer_keys(family, keys, pretokenizer)
    rows = {tensor: _as_kind(tensor, data, floats) for tensor, data in tensors}
    keys.whole("general.quantization_version", QUANTIZATION_VERSION)
    keys.whole("general.file_type", _file_type(rows.values()))
    return _laid_out(checkpoint, keys.metadata, rows)


def has_fp8(folder: str | os.PathLike[str] | Checkpoint) -> bool:
    """Say whether a checkpoint's matrices are FP8, which a GGUF cannot hold."""
    checkpoint = folder if isinstance(folder, Checkpoint) else Checkpoint.open(folder)
    return bool(checkpoint.config) and any(tensor.dtype in KINDS for tensor in checkpoint.tensors.values())


def _as_kind(name: str, rows: Rows, floats: str | None) -> Rows:
    kind = natural_kind(name, rows, floats)
    if kind != rows.kind and rows.kind not in FLOATS:
        raise InvalidCheckpoint(f'tensor "{name}" holds {rows.kind}, and should hold floats', hint="fetch it again")
    return rows if kind == rows.kind else Cast(rows, kind, name)


def _file_type(tensors: Iterable[Rows]) -> int:
    sizes = dict.fromkeys(FLOATS, 0)
    for rows in tensors:
        if rows.kind == "MXFP4":
            return _MXFP4_MOE
        if len(rows.shape) > 1:
            sizes[rows.kind] += rows.nbytes
    return _FILE_TYPES[max(sizes, key=lambda kind: (sizes[kind], kind))]


def _laid_out(checkpoint: Checkpoint, metadata: Metadata, rows: Mapping[str, Rows]) -> ConvertedModel:
    tensors: list[Tensor] = []
    offset = 0
    for name, row in rows.items():
        dims = tuple(reversed(row.shape))
        if len(name.encode()) > MAX_TENSOR_NAME or 0 in dims:
            raise InvalidCheckpoint(f'tensor "{name}" has no numbers', hint="config.json and the tensors do not fit")
        kind = TYPES[row.kind]
        if dims[0] % kind.block:
            raise UsageError(f'tensor "{name}": rows of {dims[0]} numbers do not fill blocks of {kind.block}')
        nbytes = prod(dims) // kind.block * kind.width
        tensors.append(Tensor(name, dims, kind, offset, nbytes))
        offset += nbytes + padding(nbytes, DEFAULT_ALIGNMENT)
    head = header(metadata.entries, [tensor.info(tensor.offset) for tensor in tensors], DEFAULT_ALIGNMENT)
    length = sum(map(len, head))
    newest = max(checkpoint.stamps, key=lambda stamp: stamp.modified)
    stamp = replace(newest, path=Path(checkpoint.folder), size=length + offset)
    return ConvertedModel(
        stamp, VERSION, metadata, tuple(tensors), DEFAULT_ALIGNMENT, length, rows=rows, sources=checkpoint.stamps
    )
