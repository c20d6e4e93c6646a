"""The tensors of a model in few lines: those that every block has as one, ``blk.{0-31}.attn_q.weight``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidGGUF
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import MAX_TENSORS, TENSOR_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NUMBERED = re.compile(r"([^{}]*?\.)(0|[1-9]\d{0,5})(\.[^{}]*)")
_RANGES = re.compile(r"([^{}]*)\{([0-9,-]{1,4000})\}([^{}]*)")
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}
_MAX_DIMS, _MAX_ELEMENTS = 4, 1 << 62


def grouped(tensors: Sequence[Tensor]) -> Iterator[dict[str, Any]]:
    """Yield groups of tensors that differ in the number of their block only, in the order in which each comes up first."""
    groups: dict[tuple[str, str, str, tuple[int, ...]], list[int]] = {}
    for tensor in tensors:
        match = _NUMBERED.fullmatch(tensor.name)
        before, number, behind = match.groups() if match else (tensor.name, "", "")
        blocks = groups.setdefault((before, behind, tensor.type.name, tensor.dims), [])
        if number:
            blocks.append(int(number))
    for (before, behind, kind, dims), blocks in groups.items():
        name = f"{before}{{{_ranges(sorted(blocks))}}}{behind}" if blocks else before
        key = "name" if blocks or not re.search(r"[{}]", name) else "exact"
        yield {key: name, "type": kind, "dims": list(dims)}


def _ranges(numbers: Sequence[int]) -> str:
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def ungrouped(groups: Sequence[Mapping[str, Any]]) -> Iterator[Tensor]:
    """Yield the tensors of groups, each without a place; raises InvalidGGUF for what is no group, and for too many."""
    count = 0
    for group in groups:
        for tensor in _members(group):
            count += 1
            if count > MAX_TENSORS:
                raise InvalidGGUF(f"more than {MAX_TENSORS:,} tensors", hint="write the lock again")
            yield tensor


def _members(group: Mapping[str, Any]) -> Iterator[Tensor]:
    kind, dims = _TYPES.get(str(group.get("type"))), tuple(group.get("dims", ()))
    elements = 1
    for size in dims:
        elements *= size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0
    if kind is None or not 0 < len(dims) <= _MAX_DIMS or not 0 < elements < _MAX_ELEMENTS or dims[0] % kind.block:
        raise InvalidGGUF(f"{dict(group)!s:.200} is no tensor: it needs a name, a known type, and dims that fit it")
    nbytes = elements // kind.block * kind.width
    for name in _names(group):
        yield Tensor(name, dims, kind, 0, nbytes)


def _names(group: Mapping[str, Any]) -> Iterator[str]:
    if "exact" in group:
        yield str(group["exact"])
        return
    name = str(group.get("name"))
    match = _RANGES.fullmatch(name)
    if match is None:
        yield name
        return
    before, ranges, behind = match.groups()
    for part in ranges.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise InvalidGGUF(f"{name:.120} does not say which blocks it means")
        first, last = int(found[1]), int(found[2] or found[1])
        if last - first >= MAX_TENSORS:
            raise InvalidGGUF(f"{name:.120} means more than {MAX_TENSORS:,} tensors")
        yield from (f"{before}{number}{behind}" for number in range(first, last + 1))
