"""Whether a file has the tensors that llama.cpp looks for, each of the shape that the keys say, and no others.

What it can compute with is seen at loads: matrices of F64 and of whole numbers crash, and on a processor vectors of anything but F32 (source:
ggml ``src/ggml-cpu/binary-ops.cpp``; CUDA has kernels for F16).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from modelsmith.weights.gguf.verify.model import BLOCK, EMBEDDING

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults
    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.gguf.verify.needs import Needs, TensorNeed
    from modelsmith.weights.gguf.verify.sizes import Sizes

_SCALES = ("scale", "input_scale")  # of any matrix: llama.cpp looks for them behind the tensors of an architecture
_MOST_BLOCKS = 512
_WIDE = frozenset(("I8", "I16", "I32", "I64", "F64"))
_HALF = frozenset(("F16", "BF16"))
_TABLES = ("tid2eid", "d2t")  # tensors of whole numbers, by the end of their names
_CONVERT = "convert the model again; llama.cpp refuses to load it like this"
_UNKNOWN = "convert the model again, or take a newer llama.cpp: it refuses files with tensors that it does not use"


def check_tensors(gguf: GGUFFile, needs: Needs, sizes: Sizes, faults: Faults) -> None:
    """Note tensors that are missing, of another shape than the keys say, or none that llama.cpp looks for."""
    outer: dict[str, Tensor] = {}
    blocks: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for tensor in gguf.tensors:
        if match := BLOCK.match(tensor.name):
            blocks[int(match[1])][tensor.name[match.end() :]] = tensor
        else:
            outer[tensor.name] = tensor
    count = min(sizes.value("block_count") or 0, _MOST_BLOCKS)
    for name, wanted in needs.outer.items():
        if name not in outer and any(
            _holds(need, sizes, at) for need in wanted if need.is_needed for at in _places(need, count)
        ):
            _note_missing(gguf, f'tensor "{name}" is missing', faults)
    _check_blocks(gguf, needs, sizes, {block: blocks[block] for block in range(count) if block in blocks}, faults)
    for tensor in gguf.tensors:
        match = BLOCK.match(tensor.name)
        block, name = (int(match[1]), tensor.name[match.end() :]) if match else (0, tensor.name)
        if match and block >= count:  # told as such
            continue
        wanted = (needs.block if match else needs.outer).get(name, ())
        places = [block] if match else list(range(max(count, 1)))
        _check_tensor(gguf, tensor, wanted, sizes, places, faults)


def _holds(need: TensorNeed, sizes: Sizes, block: int) -> bool | None:
    found = sizes.value(need.when, block) if need.when else 1
    return None if found is None else bool(found)


def _places(need: TensorNeed, count: int) -> range:
    """Return the blocks for which a tensor outside of them may be looked for: all where the condition speaks of blocks."""
    return range(count if "(i)" in need.when or "i " in need.when else 1)


def _check_blocks(
    gguf: GGUFFile, needs: Needs, sizes: Sizes, blocks: dict[int, dict[str, Tensor]], faults: Faults
) -> None:
    lacking: dict[str, list[int]] = defaultdict(list)
    for block, found in blocks.items():  # a block without any tensor is told as such
        for name, wanted in needs.block.items():
            if name not in found and any(need.is_needed and _holds(need, sizes, block) for need in wanted):
                lacking[name].append(block)
    by_blocks: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name, numbers in lacking.items():
        by_blocks[tuple(numbers)].append(name)
    for (first, *others), names in by_blocks.items():
        where = f"{len(others) + 1} blocks, the first of them blk.{first}," if others else f"blk.{first}"
        _note_missing(gguf, f"{where} lack{'' if others else 's'} {' and '.join(names)}", faults)


def _note_missing(gguf: GGUFFile, message: str, faults: Faults) -> None:
    faults.add("missing-tensor", f"{message}, which {gguf.architecture} needs", None, "", _CONVERT)


def _check_tensor(
    gguf: GGUFFile, tensor: Tensor, wanted: tuple[TensorNeed, ...], sizes: Sizes, places: list[int], faults: Faults
) -> None:
    """Note a tensor that llama.cpp does not look for, or that is otherwise than it expects."""
    looked_for = [(need, block) for need in wanted for block in places if _holds(need, sizes, block) is not False]
    if not looked_for:
        base, _, end = tensor.name.rpartition(".")
        block = places[0]
        if end in _SCALES and any(other.name == f"{base}.weight" for other in gguf.tensors):
            count = sizes.value("expert_count" if base.endswith("_exps") else "1", block)
            _check_shape(tensor, [None if count is None else (count,)], faults)
        elif not gguf.has_embedded_parts:
            message = f'tensor "{tensor.name}" is none that {gguf.architecture} has'
            if wanted:
                message = f'tensor "{tensor.name}" is none that {gguf.architecture} has there by its keys'
            faults.add("unknown-tensor", message, tensor.at, "no such tensor", _UNKNOWN)
        return
    _check_type(tensor, faults)
    if not (tensor.name == EMBEDDING and len(tensor.dims) > 1):  # told with the vocabulary
        _check_shape(tensor, [_dims(need.shape, sizes, block) for need, block in looked_for], faults)


def _dims(shape: tuple[str, ...], sizes: Sizes, block: int) -> tuple[int, ...] | None:
    found = [sizes.value(part, block) for part in shape]
    dims = tuple(length for length in found if length is not None and length >= 0)
    return dims if len(dims) == len(found) else None


def _check_shape(tensor: Tensor, wanted: list[tuple[int, ...] | None], faults: Faults) -> None:
    known = [dims for dims in wanted if dims is not None]
    if len(known) < len(wanted) or any(_bare(dims) == _bare(tensor.dims) for dims in known):
        return
    expected = " or ".join(dict.fromkeys(_shown(dims) for dims in known))
    message = f'tensor "{tensor.name}" is {_shown(tensor.dims)}, but by the keys of the model it is {expected}'
    faults.add("wrong-shape", message, tensor.at, expected, _CONVERT)


def _check_type(tensor: Tensor, faults: Faults) -> None:
    kind, is_vector = tensor.type.name, len(tensor.dims) == 1
    if kind == "F32" or any(table in tensor.name for table in _TABLES):
        return
    if is_vector or kind in _WIDE:
        what = "vector" if is_vector else "matrix"
        where = " on a processor" if kind in _HALF else ""
        message = f'tensor "{tensor.name}" is a {what} of {kind}, with which llama.cpp cannot compute{where}'
        faults.add("wrong-type", message, tensor.at, "F32" if is_vector else "F32, F16 or quantized", _CONVERT)


def _bare(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes without the ones at the end, which say nothing."""
    while dims and dims[-1] == 1:
        dims = dims[:-1]
    return dims


def _shown(dims: tuple[int, ...]) -> str:
    return " x ".join(map(str, dims))
