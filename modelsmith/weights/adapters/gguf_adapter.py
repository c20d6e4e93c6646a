"""Reading an adapter that is a GGUF: pairs of tensors, ``NAME.lora_a`` and ``NAME.lora_b``.

Source: llama.cpp ``src/llama-adapter.cpp`` (names, shapes, checks).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidAdapter, Unsupported
from modelsmith.weights.adapters.lora import Lora, LoraPair, StoredMatrix
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.weights.gguf.read.tensors import Tensor

FINGERPRINT = "modelsmith.adapter.base_fingerprint"
_SIDES = (".lora_a", ".lora_b")
_DTYPES = frozenset(("F32", "F16", "BF16"))


def read_gguf_adapter(path: Path) -> Lora:
    """Read an adapter; raises UnreadableFile, InvalidGGUF, InvalidAdapter or Unsupported, each with the way out."""
    gguf = GGUFFile.open(path)
    if gguf.kind != "adapter":
        raise InvalidAdapter(
            f"{path} is a {gguf.kind}, not an adapter (general.type)", hint="name the GGUF or the folder of the adapter"
        )
    kind = gguf.metadata.text("adapter.type")
    if kind not in {"", "lora"}:
        raise Unsupported(f"{path} is an adapter of the kind {kind}, and only lora is known")
    alpha = gguf.metadata.get("adapter.lora.alpha", 0.0)
    if not isinstance(alpha, float) or not math.isfinite(alpha):
        raise InvalidAdapter(f"{path}: adapter.lora.alpha is {alpha!r}, which is no number", hint="convert it again")
    halves: dict[str, dict[str, Tensor]] = {}
    for tensor in gguf.tensors:
        name, side = tensor.name[:-7], tensor.name[-7:]
        if side not in _SIDES:
            raise Unsupported(
                f"{path} holds {tensor.name}, which is no part of a LoRA",
                hint="apply it with llama-server --lora, which adds whole tensors too",
            )
        halves.setdefault(name, {})[side] = tensor
    if not halves:
        raise InvalidAdapter(f"{path} holds no tensor", hint="convert it again")
    pairs = {name: _pair(gguf, name, sides, alpha) for name, sides in halves.items()}
    text = gguf.metadata.text
    base = text("general.base_model.0.repo_url") or text("general.base_model.0.name")
    return Lora(path, pairs, alpha, base, gguf.architecture, text(FINGERPRINT))


def _pair(gguf: GGUFFile, name: str, sides: dict[str, Tensor], alpha: float) -> LoraPair:
    if len(sides) != 2:
        raise InvalidAdapter(f"{gguf.path} has only one of the two matrices for {name}", hint="convert it again")
    a, b = (_matrix(gguf, sides[side]) for side in _SIDES)
    looked_up = name == "token_embd.weight"  # its rows stand in A, one for each token
    rank, other = a.shape[1 if looked_up else 0], b.shape[1]
    if rank != other or not rank:
        raise InvalidAdapter(
            f"{gguf.path}: the matrices for {name} do not fit each other: their ranks are {rank} and {other}",
            hint="convert it again",
        )
    # llama.cpp: without alpha the scale is 1, whatever the rank
    return LoraPair(a, b, alpha / rank if alpha else 1.0, looked_up=looked_up, transposed=looked_up)


def _matrix(gguf: GGUFFile, tensor: Tensor) -> StoredMatrix:
    if tensor.type.name not in _DTYPES:
        raise Unsupported(
            f"{gguf.path}: {tensor.name} is {tensor.type.name}, and adapters are read in F32, F16 and BF16",
            hint="convert the adapter again without quantizing it",
        )
    if len(tensor.dims) != 2:
        raise Unsupported(
            f"{gguf.path}: {tensor.name} has {len(tensor.dims)} dimensions, and only matrices are merged",
            hint="apply it with llama-server --lora",
        )
    return StoredMatrix(tensor.type.name, (tensor.dims[1], tensor.dims[0]), gguf.data_of(tensor))
