"""Writing an adapter of PEFT as a GGUF, for ``llama-server --lora`` and for Ollamas that still take ADAPTER.

Sources: llama.cpp ``convert_lora_to_gguf.py`` (keys, names), ``src/llama-adapter.cpp`` (what is read of them). What is done
better than there: rslora, ranks and alphas that differ between modules, and a fingerprint of the base.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelsmith.files.outputs import holds
from modelsmith.files.replacing import check_output, replacing
from modelsmith.files.stream import chunks, size_of, write_all
from modelsmith.weights.adapters.fingerprint import fingerprint
from modelsmith.weights.adapters.gguf_adapter import FINGERPRINT
from modelsmith.weights.adapters.open import checked, for_gguf
from modelsmith.weights.adapters.peft import read_peft
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType
from modelsmith.weights.quantize.quantize import open_parts

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from modelsmith.weights.adapters.lora import Lora, Matrix
    from modelsmith.weights.gguf.file import GGUFFile

TYPES = {kind.name.lower(): kind for kind in TENSOR_TYPES.values() if kind.name in {"F32", "F16", "BF16"}}
_FORMATS = {"F32": "<f4", "F16": "<f2"}
_FILE_TYPES = {"F32": 0, "F16": 1, "BF16": 32}


def convert_adapter(
    adapter: Path, base: str | os.PathLike[str], target: Path, *, kind: str = "f32", overwrite: bool = False
) -> Lora:
    """Write the adapter in a folder as a GGUF and return it; ``base`` is a GGUF of its model, of any quantization.

    ``kind`` is the type of its matrices: f32, f16 or bf16. Raises as ``open_adapter`` does, UsageError for a target that
    cannot be written.
    """
    parts = open_parts(base)
    peft = read_peft(adapter)
    lora = checked(for_gguf(peft, parts), parts)
    alpha, factors = _common_alpha(lora)
    if factors:
        lora = lora.with_note(
            f"{len(factors)} of its {len(lora.pairs)} pairs have another scale, which their B matrix holds now"
        )
    rows = list(_tensors(lora, TYPES[kind].name, factors))
    size = sum(len(data) for _, data in rows)
    entries = list(_entries(lora, parts, alpha, _FILE_TYPES[TYPES[kind].name]))
    segments = packed(entries, rows, 32)
    if not overwrite and holds(target, size_of(segments), chunks(segments)):
        return lora
    check_output(target, [path for path in peft.path.iterdir() if path.is_file()], overwrite=overwrite, size=size)
    with replacing(target) as (descriptor, _):
        for segment in segments:
            write_all(descriptor, segment if isinstance(segment, bytes) else segment.read())
    return lora


def _common_alpha(lora: Lora) -> tuple[float, dict[str, float]]:
    """Return the alpha for the whole file, and by what B of a pair with another scale must be multiplied.

    llama.cpp divides one alpha by the rank of each pair.
    """
    alphas = {name: pair.scale * pair.rank for name, pair in lora.pairs.items()}
    values = list(alphas.values())
    common = max(set(values), key=lambda value: (values.count(value), value)) or 1.0
    return common, {
        name: alpha / common for name, alpha in alphas.items() if not math.isclose(alpha, common, rel_tol=1e-9)
    }


def _entries(lora: Lora, parts: tuple[GGUFFile, ...], alpha: float, file_type: int) -> Iterator[Entry]:
    def text(key: str, value: str) -> Entry:
        return Entry.of(key, ValueType.STRING, value)

    metadata = parts[0].metadata
    yield text("general.architecture", lora.architecture)
    yield text("general.type", "adapter")
    yield text("adapter.type", "lora")
    yield Entry.of("adapter.lora.alpha", ValueType.FLOAT32, alpha)
    yield text("general.name", lora.path.resolve().name)
    yield Entry.of("general.file_type", ValueType.UINT32, file_type)
    yield Entry.of("general.base_model.count", ValueType.UINT32, 1)
    yield text("general.base_model.0.name", metadata.text("general.name") or lora.base.rpartition("/")[2] or "unknown")
    if lora.base.count("/") == 1 and not lora.base.startswith((".", "/", "~")):
        yield text("general.base_model.0.repo_url", f"https://huggingface.co/{lora.base}")
    if found := fingerprint(parts):
        yield text(FINGERPRINT, found)


def _tensors(lora: Lora, kind: str, factors: dict[str, float]) -> Iterator[tuple[Tensor, bytes]]:
    for name, pair in lora.pairs.items():
        b, a = pair.matrices()
        if name in factors:
            b = b * factors[name]
        if pair.looked_up:  # llama.cpp looks a token up in A: a row for each
            b, a = a.T, b
        for side, matrix in (("lora_a", a), ("lora_b", b)):
            data = _encoded(matrix, kind)
            yield Tensor(f"{name}.{side}", (matrix.shape[1], matrix.shape[0]), TYPES[kind.lower()], 0, len(data)), data


def _encoded(matrix: Matrix, kind: str) -> bytes:
    import numpy as np

    if kind == "BF16":
        bits = np.ascontiguousarray(matrix, "<f4").view("<u4")
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        return bytes(rounded.astype("<u2").tobytes())
    with np.errstate(over="ignore"):
        return bytes(np.ascontiguousarray(matrix, _FORMATS[kind]).tobytes())
