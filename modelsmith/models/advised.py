"""The sampling that a model's makers advise, as PARAMETERs.

Sources: ``generation_config.json`` of a checkpoint (Transformers, GenerationConfig), ``general.sampling.*`` of a GGUF
(llama.cpp ``gguf-py/gguf/constants.py``). Without PARAMETERs Ollama samples by defaults of its own, whatever either says.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidCheckpoint
from modelsmith.weights.convert.checkpoint import Checkpoint
from modelsmith.weights.convert.weights import is_checkpoint
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GENERATION = "generation_config.json"
_SAMPLING = "general.sampling."
_NAMES = (
    ("temperature", "temperature", "temp", float),
    ("top_k", "top_k", "top_k", int),
    ("top_p", "top_p", "top_p", float),
    ("min_p", "min_p", "min_p", float),
    ("repeat_penalty", "repetition_penalty", "penalty_repeat", float),
    ("repeat_last_n", "penalty_last_n", "penalty_last_n", int),
)
"""PARAMETER, key of the checkpoint, key of the GGUF, type."""


def advised_parameters(weights: Path) -> dict[str, int | float]:
    """Return the PARAMETERs that a GGUF or a folder of Safetensors advises; empty where it advises none.

    A checkpoint with ``do_sample: false`` means its other values for nobody. Raises InvalidCheckpoint where a value is no number.
    """
    if is_checkpoint(weights):
        table = Checkpoint.open(weights).table(GENERATION)
        return {} if table.get("do_sample") is False else _read(table, 1, f"{weights / GENERATION}: ")
    with GGUFFile.open(weights) as gguf:
        found = {name: gguf.metadata.get(_SAMPLING + name) for _, _, name, _ in _NAMES}
    return _read({name: _shortest(value) for name, value in found.items()}, 2, f"{weights}: {_SAMPLING}")


def _read(table: Mapping[str, Any], column: int, place: str) -> dict[str, int | float]:
    found: dict[str, int | float] = {}
    for row in _NAMES:
        key = str(row[column])
        value = table.get(key)
        if value is None:
            continue
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not fits or (row[3] is int and value != int(value)):
            raise InvalidCheckpoint(
                f"{place}{key} is {value!r:.60}, and should be {'a whole number' if row[3] is int else 'a number'}",
                hint="correct it, or leave advised-parameters out of the recipe",
            )
        found[row[0]] = row[3](value)
    return found


def _shortest(value: Any) -> Any:
    """Return a float of 32 bits as the shortest decimal that means it: 0.6, not 0.6000000238418579."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    texts = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((text for text in texts if struct.pack("<f", text) == struct.pack("<f", value)), value)
