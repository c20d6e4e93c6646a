"""What quantizing a GGUF will make of each tensor, and how large the result will be: known from the header alone.

Source: llama.cpp ``src/llama-quant.cpp`` (llama_model_quantize_impl), ``include/gguf.h`` (layout).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Protocol

from modelsmith.errors import Unsupported, UsageError
from modelsmith.weights.gguf.arrange.canonical import arranged
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.types import padding
from modelsmith.weights.quantize.facts import ModelFacts
from modelsmith.weights.quantize.mixes import FLOATS
from modelsmith.weights.quantize.roles import Role, role_of
from modelsmith.weights.quantize.rules import TypeChooser, needs_importance
from modelsmith.weights.quantize.wishes import TypeFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from modelsmith.files.segments import FileSlice, Place
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Metadata
    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.gguf.types import TensorType
    from modelsmith.weights.quantize.codec import Floats
    from modelsmith.weights.quantize.imatrix import ImportanceMatrix
    from modelsmith.weights.quantize.mixes import Mix
    from modelsmith.weights.quantize.wishes import Wishes

_LONGEST_ROW = 1 << 26


class Addition(Protocol):
    """What is added to a tensor's numbers before they get their type. May be used by several threads at once."""

    def add_to(self, numbers: Floats, first: int) -> None:
        """Add to whole rows, of which ``first`` is the first of the tensor."""


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """One tensor of the result: ``tensor`` as it will be, ``source`` as it is, where its bytes are, and what is added to it."""

    tensor: Tensor
    source: Tensor
    place: Place
    fell_back: bool = False
    delta: Addition | None = None

    @property
    def changes(self) -> bool:
        """Whether its numbers are turned into another type, or others."""
        return self.tensor.type != self.source.type or self.delta is not None

    @property
    def requantizes(self) -> bool:
        """Whether what was quantized already gets another type, which never brings a lost bit back."""
        return self.changes and self.source.type.name not in FLOATS

    @property
    def widens(self) -> bool:
        """Whether the new type has more bits a weight than the old one."""
        return self.tensor.nbytes > self.source.nbytes

    @property
    def columns(self) -> int:
        """How many values an importance matrix has for it: one a column, for each matrix of a stack."""
        return self.source.dims[0] * (self.source.dims[2] if len(self.source.dims) > 2 else 1)


@dataclass(frozen=True)
class QuantizePlan:
    """The result before it is made: every byte of the header, every tensor's type and size."""

    mix: Mix
    metadata: Metadata
    tensors: tuple[TensorPlan, ...]
    head: tuple[bytes | FileSlice, ...]
    alignment: int
    source_size: int
    imatrix: ImportanceMatrix | None = None

    @cached_property
    def size(self) -> int:
        """The size of the file to be, in bytes; exact."""
        data = sum(tensor.tensor.nbytes + padding(tensor.tensor.nbytes, self.alignment) for tensor in self.tensors)
        return sum(map(len, self.head)) + data

    @property
    def tensor_bytes(self) -> int:
        """The bytes of all tensors, without padding."""
        return sum(tensor.tensor.nbytes for tensor in self.tensors)

    @property
    def bits_per_weight(self) -> float:
        """How many bits a number takes on average."""
        return 8 * self.tensor_bytes / max(1, sum(tensor.tensor.elements for tensor in self.tensors))

    @property
    def source_bits_per_weight(self) -> float:
        """The same of the source."""
        total = sum(tensor.source.nbytes for tensor in self.tensors)
        return 8 * total / max(1, sum(tensor.source.elements for tensor in self.tensors))

    @property
    def changed(self) -> tuple[TensorPlan, ...]:
        """The tensors that get another type."""
        return tuple(tensor for tensor in self.tensors if tensor.changes)

    @property
    def fell_back(self) -> tuple[TensorPlan, ...]:
        """The tensors whose rows do not fit the blocks of the type that they should have got."""
        return tuple(tensor for tensor in self.tensors if tensor.fell_back)

    @property
    def by_type(self) -> Mapping[str, tuple[int, int]]:
        """Count and bytes of the tensors of each type, the most bytes first."""
        counts: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            counts[tensor.tensor.type.name] += 1
            sizes[tensor.tensor.type.name] += tensor.tensor.nbytes
        return {name: (counts[name], size) for name, size in sizes.most_common()}


def plan_quantize(parts: Sequence[GGUFFile], wishes: Wishes, imatrix: ImportanceMatrix | None = None) -> QuantizePlan:
    """Plan what becomes of a GGUF, or of all shards of one. Reads headers only.

    Raises UsageError for a rule that no tensor follows, a type that needs an importance matrix, or one that does not fit the
    model; Unsupported where quantized tensors would be quantized again without being told so; InvalidGGUF as llama.cpp does.
    """
    mix = wishes.mix
    arrangement = arranged(*parts, file_type=mix.file_type)
    sources = [tensor for tensor, _ in arrangement.tensors]
    facts = ModelFacts.of(arrangement.metadata, sources, importance=imatrix is not None)
    types = TypeFinder(wishes, TypeChooser(mix, facts), tied=facts.tied)
    planned = list(
        _placed(
            (_planned(tensor, place, *types.of(tensor)) for tensor, place in arrangement.tensors), arrangement.alignment
        )
    )
    types.check_rules()
    _check_requantizing(planned, wishes, parts[0])
    _check_importance(planned, mix, imatrix)
    metadata = arrangement.metadata.moved_last(*(imatrix.metadata() if imatrix else ()))
    head = header(
        metadata.entries, [tensor.tensor.info(tensor.tensor.offset) for tensor in planned], arrangement.alignment
    )
    size = sum(part.size for part in parts)
    return QuantizePlan(mix, metadata, tuple(planned), head, arrangement.alignment, size, imatrix)


def _planned(source: Tensor, place: Place, kind: TensorType, fell_back: bool) -> TensorPlan:
    nbytes = prod(source.dims) // kind.block * kind.width
    if kind != source.type and source.dims[0] > _LONGEST_ROW:
        raise UsageError(f'tensor "{source.name}": rows of {source.dims[0]} numbers are longer than those of any model')
    return TensorPlan(replace(source, type=kind, nbytes=nbytes), source, place, fell_back)


def _placed(planned: Iterable[TensorPlan], alignment: int) -> Iterator[TensorPlan]:
    """Yield the tensors with the offsets that they will have: back to back, each padded."""
    offset = 0
    for tensor in planned:
        yield replace(tensor, tensor=replace(tensor.tensor, offset=offset))
        offset += tensor.tensor.nbytes + padding(tensor.tensor.nbytes, alignment)


def _check_requantizing(planned: Sequence[TensorPlan], wishes: Wishes, gguf: GGUFFile) -> None:
    again = [tensor for tensor in planned if tensor.requantizes]
    narrower = any(not tensor.widens for tensor in again)
    if again and not wishes.allow_requantize:
        types = ", ".join(sorted({tensor.source.type.name for tensor in again}))
        raise Unsupported(
            f"{gguf.path} is quantized already: {len(again)} of its tensors are {types}, "
            f"and {wishes.mix.name} {'would lose bits a second time' if narrower else 'brings no lost bit back'}",
            hint="start from the F16, BF16 or F32 model; --allow-requantize (in a recipe allow-requantize: true) does it all the same",
        )


def _check_importance(planned: Sequence[TensorPlan], mix: Mix, imatrix: ImportanceMatrix | None) -> None:
    for tensor in planned:
        name, kind = tensor.tensor.name, tensor.tensor.type.name
        if not tensor.changes:
            continue
        found = imatrix.entries.get(name) if imatrix else None
        if found is not None and imatrix is not None and found.size != tensor.columns:
            if role_of(name) is not Role.EMBEDDING:
                raise UsageError(
                    f"{imatrix.path} has {found.size} values for {name}, which has {tensor.columns} columns",
                    hint="it was made for another model",
                )
            found = None
        if found is None and needs_importance(name, kind, mix):
            why = f"{imatrix.path} has no entry for it" if imatrix else f"{mix.name} needs an importance matrix"
            raise UsageError(
                f"{name} would come out as garbage in {kind}: {why}",
                hint="make one with llama-imatrix and give it with --imatrix, or take a mix of more bits",
            )
