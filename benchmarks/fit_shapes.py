"""``modelsmith fit`` beside llama.cpp for models that are too large for this machine.

For each known shape a file is made with the true widths, heads and vocabulary, but three layers and no data (sparse). llama.cpp
loads it through ``xllamacpp`` and logs its buffers; rows where ours are more than 2 % off fail.

Usage: python benchmarks/fit_shapes.py
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from fit import MIB, run

from modelsmith.weights.fit.known import SHAPES, KnownShape
from modelsmith.weights.fit.memory import cache_of, compute
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.settings import FitSettings
from modelsmith.weights.fit.shapes import shape_header
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import array_entry, byte_tokens
from modelsmith.weights.gguf.types import ValueType, padding
from modelsmith.weights.quantize.plan import plan_quantize
from modelsmith.weights.quantize.wishes import Wishes

WITHIN = 0.02
PLAIN = frozenset(("llama", "qwen2", "qwen3"))  # the others need keys that memory does not depend on
CASES = (
    FitSettings(context=4096),
    FitSettings(context=16384),
    FitSettings(context=16384, keys="q8_0", values="q8_0"),
    FitSettings(context=4096, flash_attention=False),
    FitSettings(context=16384, flash_attention=False),
    FitSettings(context=4096, ubatch=2048),
)


def write_sparse(path: Path, shape: KnownShape) -> FitModel:
    """Write the Q4_K_M header of a shape with a vocabulary, as a file that is as long as it says."""
    plan = plan_quantize((shape_header(path.name, shape),), Wishes.of("Q4_K_M"))
    tokens = byte_tokens() + [f"t{number}" for number in range(shape.vocabulary - 256)]
    added = [
        Entry.of(f"{shape.architecture}.attention.layer_norm_rms_epsilon", ValueType.FLOAT32, 1e-6),
        Entry.of(f"{shape.architecture}.rope.dimension_count", ValueType.UINT32, shape.head),
        Entry.of("tokenizer.ggml.model", ValueType.STRING, "gpt2"),
        Entry.of("tokenizer.ggml.pre", ValueType.STRING, "default"),
        array_entry("tokenizer.ggml.tokens", ValueType.STRING, tokens),
        array_entry("tokenizer.ggml.token_type", ValueType.INT32, [1] * len(tokens)),
        array_entry("tokenizer.ggml.merges", ValueType.STRING, ["t h"]),
        Entry.of("tokenizer.ggml.eos_token_id", ValueType.UINT32, 257),
    ]
    infos, offset = [], 0
    for each in plan.tensors:
        infos.append(each.tensor.info(offset))
        offset += each.tensor.nbytes + padding(each.tensor.nbytes, plan.alignment)
    with path.open("wb") as file:
        for segment in header([*plan.metadata.entries, *added], infos, plan.alignment):
            file.write(segment if isinstance(segment, bytes) else segment.read())
        file.truncate(file.tell() + offset)
    return FitModel.of_parts([GGUFFile.open(path)])


def main() -> int:
    """Print the table; return how many rows are off."""
    off = 0
    print(f"{'MiB, ours / llama.cpp':44} {'cache':>15} {'compute':>17}")
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in SHAPES.items():
            if shape.architecture not in PLAIN:
                continue
            path = Path(folder) / "shape.gguf"
            model = write_sparse(path, replace(shape, layers=3))
            for settings in CASES:
                seen = run(path, settings, mapped=True, prompt=False)
                cache = sum(cache_of(model, layer, settings) for layer in model.layers) / MIB
                room = compute(model, model.layers, settings, output=True) / MIB
                bad = max(abs(cache / seen.cache - 1), abs(room / seen.compute - 1)) > WITHIN
                off += bad
                flash = "" if settings.flash_attention else " no-fa"
                title = f"{name} {settings.context} ub{settings.ubatch} {settings.keys}{flash}"
                print(
                    f"{title:44} {cache:7.1f}/{seen.cache:<7.1f} {room:8.1f}/{seen.compute:<8.1f}{' OFF' if bad else ''}",
                    flush=True,
                )
    return off


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
