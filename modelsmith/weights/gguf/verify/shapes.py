"""Whether each tensor has the shape that llama.cpp expects, and is one that it knows; whether counts of blocks and experts fit.

The facts are in ``shapes.json``: by architecture the tensors outside the blocks and of a block by their shape, from the same sources
as ``needs.py``. ``?`` holds those whose shape is worked out otherwise; either of two shapes with ``or`` will do. ``equal`` are widths that must be
the same, which llama.cpp asserts when it builds its graph. What it can multiply with is seen at loads: F64 and whole numbers crash.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.verify.model import BLOCK, EMBEDDING
from modelsmith.weights.gguf.verify.needs import tensor_name
from modelsmith.weights.gguf.verify.sizes import Sizes

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.read.tensors import Tensor

_DATA = Path(__file__).parent / "shapes.json"
_OPEN = "?"
_SCALES = ("scale", "input_scale")  # of any matrix: llama.cpp looks for them behind the tensors of an architecture
_MOST_BLOCKS, _MOST_EXPERTS = 512, 1024
_WIDTHS = {"rot": "rope.dimension_count", "head_v": "attention.value_length", "head_k": "attention.key_length"}
_WIDE = frozenset(("I8", "I16", "I32", "I64", "F64"))
_HALF = frozenset(("F16", "BF16"))
_TABLES = ("tid2eid",)  # tensors of whole numbers, by the end of their names
_CONVERT = "convert the model again; llama.cpp refuses to load it like this"
_UNKNOWN = "convert the model again, or take a newer llama.cpp: it refuses files with tensors that it does not use"


def check_shapes(gguf: GGUFFile, faults: Faults) -> None:
    """Note tensors of another shape than the keys say, and tensors that llama.cpp does not know."""
    known, sizes = shapes_of(gguf.architecture), Sizes(gguf)
    if known is None:
        return
    present = {tensor.name for tensor in gguf.tensors}
    for tensor in gguf.tensors:
        match = BLOCK.match(tensor.name)
        block, name = (int(match[1]), tensor.name[match.end() :]) if match else (0, tensor.name)
        shape = known["block" if match else "outer"].get(name)
        if shape is None:
            base, _, end = tensor.name.rpartition(".")
            if end in _SCALES and f"{base}.weight" in present:
                scales = "expert_count" if base.endswith("_exps") else "1"
                _check_shape(tensor, [_dims(scales, sizes, block)], faults)
            elif not gguf.has_embedded_parts:
                message = f'tensor "{tensor.name}" is none that {gguf.architecture} has'
                faults.add("unknown-tensor", message, tensor.at, "no such tensor", _UNKNOWN)
            continue
        _check_type(tensor, name, faults)
        if shape != _OPEN and not (name == EMBEDDING and len(tensor.dims) > 1):  # told with the vocabulary
            _check_shape(tensor, [_dims(part, sizes, block) for part in shape.split(" or ")], faults)


def check_counts(gguf: GGUFFile, faults: Faults) -> None:
    """Note counts that do not fit each other."""
    sizes = Sizes(gguf)
    blocks, experts, used = (sizes.value(key) for key in ("block_count", "expert_count", "expert_used_count"))
    if blocks is not None and not 0 < blocks <= _MOST_BLOCKS:
        _note(gguf, "block_count", f"from 1 to {_MOST_BLOCKS}", faults)
    if experts is not None and experts > _MOST_EXPERTS:
        _note(gguf, "expert_count", f"at most {_MOST_EXPERTS}", faults)
    elif experts is not None and used is not None and not min(experts, 1) <= used <= experts:
        expected = f"from 1 to {experts}, the number of experts" if experts else "0, as expert_count"
        _note(gguf, "expert_used_count", expected, faults)
    if not sizes.has_windows:
        _check_widths(gguf, sizes, faults)


def _check_widths(gguf: GGUFFile, sizes: Sizes, faults: Faults) -> None:
    """Note the first width that differs from one that it must be the same as; at least one of the two is a key of the file."""
    for equal in _data().get(gguf.architecture, {}).get("equal", ()):
        first, second = equal.split(" = ")
        if sizes.value(first) != sizes.value(second):
            wrong, right = (
                (first, second) if gguf.metadata.of_architecture(_WIDTHS[first]) in gguf.metadata else (second, first)
            )
            _note(gguf, _WIDTHS[wrong], f"{sizes.value(right)}, as {_WIDTHS[right]}", faults)
            return


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data


@cache
def shapes_of(architecture: str) -> dict[str, dict[str, str]] | None:
    """Return the shapes of an architecture's tensors by their names, ``outer`` and of a ``block``; None where it is not known."""
    row = _data().get(architecture)
    if row is None:
        return None
    outer = {name: shape for shape, names in row["outer"].items() for name in names}
    block = {tensor_name(name): shape for shape, names in row["block"].items() for name in names}
    return {"outer": outer, "block": block}


def _dims(shape: str, sizes: Sizes, block: int) -> tuple[int, ...] | None:
    found = [sizes.value(part, block) for part in shape.split(" x ")]
    dims = tuple(length for length in found if length is not None and length >= 0)
    return dims if len(dims) == len(found) else None


def _check_shape(tensor: Tensor, wanted: list[tuple[int, ...] | None], faults: Faults) -> None:
    known = [dims for dims in wanted if dims is not None]
    if len(known) < len(wanted) or any(_bare(dims) == _bare(tensor.dims) for dims in known):
        return
    expected = " or ".join(dict.fromkeys(_shown(dims) for dims in known))
    message = f'tensor "{tensor.name}" is {_shown(tensor.dims)}, but by the keys of the model it is {expected}'
    faults.add("wrong-shape", message, tensor.at, expected, _CONVERT)


def _check_type(tensor: Tensor, name: str, faults: Faults) -> None:
    kind, is_vector = tensor.type.name, len(tensor.dims) == 1
    if kind == "F32" or any(table in name for table in _TABLES):
        return
    if is_vector and kind in _HALF:
        message = f'tensor "{tensor.name}" is a vector of {kind}, with which llama.cpp cannot compute on a processor'
        faults.note(Fault("wrong-type", message, tensor.at, "F32", _CONVERT, Severity.WARNING))
    elif is_vector or kind in _WIDE:
        what = "vector" if is_vector else "matrix"
        message = f'tensor "{tensor.name}" is a {what} of {kind}, with which llama.cpp cannot compute'
        faults.add("wrong-type", message, tensor.at, "F32" if is_vector else "F32, F16 or quantized", _CONVERT)


def _bare(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes without the ones at the end, which say nothing."""
    while dims and dims[-1] == 1:
        dims = dims[:-1]
    return dims


def _shown(dims: tuple[int, ...]) -> str:
    return " x ".join(map(str, dims))


def _note(gguf: GGUFFile, short: str, expected: str, faults: Faults) -> None:
    key = gguf.metadata.of_architecture(short)
    if key not in gguf.metadata:
        faults.add("missing-key", f"{key} is missing, which {gguf.architecture} needs", None, expected, _CONVERT)
        return
    hint = f"set the right one: modelsmith gguf set FILE {key} NUMBER"
    message = f"{key} is {gguf.metadata[key]}, which llama.cpp refuses"
    faults.add("wrong-value", message, gguf.metadata.entry(key).value_at, expected, hint)
