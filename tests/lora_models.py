"""Small models and adapters made with numpy alone, and what merging them should give."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from modelsmith.weights.gguf.sample import SampleShape, write_sample

WIDTH, INNER, HEADS, BLOCKS = 64, 128, 4, 2
MODULES = {
    "self_attn.q_proj": (WIDTH, WIDTH),
    "self_attn.k_proj": (WIDTH, WIDTH),
    "self_attn.v_proj": (WIDTH, WIDTH),
    "self_attn.o_proj": (WIDTH, WIDTH),
    "mlp.gate_proj": (INNER, WIDTH),
    "mlp.up_proj": (INNER, WIDTH),
    "mlp.down_proj": (WIDTH, INNER),
}
_DTYPES = {"<f4": "F32", "<f2": "F16", "<u2": "BF16"}


def write_base(path: Path, **more: Any) -> Path:
    """Write a llama GGUF in F16 that llama.cpp loads."""
    return write_sample(path, shape=SampleShape(BLOCKS, WIDTH, INNER, HEADS), **more)


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Path:
    """Write a file by the format's description; numbers of the type ``<u2`` are taken for bfloat16."""
    header: dict[str, Any] = {}
    data = b""
    for name, values in tensors.items():
        raw = values.tobytes()
        entry = {"dtype": _DTYPES[values.dtype.str], "shape": list(values.shape)}
        header[name] = entry | {"data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def matrices(modules: Mapping[str, tuple[int, int]], rank: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return A and B for each module of a checkpoint, by PEFT's names."""
    chance = np.random.default_rng(seed)
    found = {}
    for module, (rows, columns) in modules.items():
        found[f"base_model.model.{module}.lora_A.weight"] = chance.normal(0, 0.3, (rank, columns)).astype("<f4")
        found[f"base_model.model.{module}.lora_B.weight"] = chance.normal(0, 0.3, (rows, rank)).astype("<f4")
    return found


def all_modules() -> dict[str, tuple[int, int]]:
    return {f"model.layers.{block}.{name}": shape for block in range(BLOCKS) for name, shape in MODULES.items()}


def write_adapter(
    folder: Path,
    modules: Mapping[str, tuple[int, int]] | None = None,
    *,
    rank: int = 4,
    seed: int = 1,
    tensors: Mapping[str, np.ndarray[Any, Any]] | None = None,
    **config: Any,
) -> dict[str, np.ndarray[Any, Any]]:
    """Write an adapter as PEFT saves it, and return its matrices."""
    folder.mkdir(parents=True, exist_ok=True)
    made = dict(tensors) if tensors is not None else matrices(modules or all_modules(), rank, seed)
    write_safetensors(folder / "adapter_model.safetensors", made)
    known = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "base_model_name_or_path": "modelsmith/sample"}
    (folder / "adapter_config.json").write_text(json.dumps(known | config))
    return made


def product(made: Mapping[str, np.ndarray[Any, Any]], module: str, scale: float) -> np.ndarray[Any, Any]:
    """Return what is added to a module's weight, in double precision."""
    a = made[f"base_model.model.{module}.lora_A.weight"].astype(np.float64)
    b = made[f"base_model.model.{module}.lora_B.weight"].astype(np.float64)
    return scale * (b @ a)


def in_pairs(rows: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Return rows in the order of llama.cpp, index by index: the halves of a head become neighbours."""
    size = len(rows) // heads
    result = np.empty_like(rows)
    for head in range(heads):
        for half in range(2):
            for number in range(size // 2):
                result[head * size + 2 * number + half] = rows[head * size + half * (size // 2) + number]
    return result


def read_gguf(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tensors of a GGUF as the package gguf reads them, as floats."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    return {
        each.name: dequantize(each.data, each.tensor_type).astype(np.float32).reshape(tuple(each.shape)[::-1])
        for each in GGUFReader(path).tensors
    }
