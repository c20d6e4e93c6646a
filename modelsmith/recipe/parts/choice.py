"""Mappings whose kind is told by the one key that says it: ``inject: …``, ``prompt-ends-with: …``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from modelsmith.diagnostic import did_you_mean
from modelsmith.recipe.parts.fields import key_of
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel, GetCoreSchemaHandler


def mark(kind: str) -> str:
    """Return how a kind shows in the place of an error, where it stands beside the real keys."""
    return f"<{kind}>"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of an item whose kind is not told as it should be.

    ``examples`` are values by kind, as YAML has them; ``options`` the kinds that have a key, by that key; ``inside`` whether those keys
    stand in the value of the kind's key, not beside it; ``others`` what a kind is called elsewhere.
    """

    examples: Mapping[str, str]
    options: Mapping[str, tuple[str, ...]]
    inside: bool = False
    others: Mapping[str, str] = field(default_factory=dict)

    def example(self, kind: str) -> str:
        """Return an item of a kind."""
        return f"- {kind}: {self.examples.get(kind, '…')}"


def choose(
    noun: str,
    choices: Mapping[str, core_schema.CoreSchema],
    words: Words,
    *,
    written: Callable[[Any], object],
    read: Callable[[Any], object] = lambda value: value,
) -> core_schema.CoreSchema:
    """Return the schema of a mapping that holds exactly one of the keys of ``choices``; that key decides which one applies.

    ``read`` makes what the mapping stands for, ``written`` the mapping again.
    """
    known = ", ".join(choices)

    def check(value: object) -> object:
        if not isinstance(value, Mapping):
            hint = f"write {words.example(value)}" if isinstance(value, str) and value in choices else ""
            raise PydanticCustomError(
                "not_a_mapping", f"expected a mapping with one of the keys {known}", {"hint": hint}
            )
        found = [key for key in value if key in choices]
        if len(found) > 1:
            context = {"key": found[1], "first": found[0]}
            raise PydanticCustomError(
                "two_kinds", f"one {noun} an item: start a new item of the list for {{key}}", context
            )
        if not found and not value:
            raise PydanticCustomError("no_kind", f"expected one of the keys {known}")
        if not found:
            raise _unknown(noun, list(value), choices, words)
        return value

    def kind(value: Mapping[str, Any]) -> str:
        return mark(next(key for key in value if key in choices))

    union = core_schema.tagged_union_schema({mark(key): schema for key, schema in choices.items()}, kind)
    checked = core_schema.no_info_before_validator_function(check, union)
    serialization = core_schema.plain_serializer_function_ser_schema(written)
    return core_schema.no_info_after_validator_function(read, checked, serialization=serialization)


def _unknown(noun: str, keys: list[str], choices: Iterable[str], words: Words) -> PydanticCustomError:
    """Return the error of an item that has none of the keys that tell its kind: the first key that tells what is meant."""
    spelled = {kind.replace("-", ""): kind for kind in choices}
    for key in keys:
        plain = key.casefold().replace("-", "").replace("_", "")
        if meant := spelled.get(plain) or words.others.get(plain):
            problem = f'unknown {noun}; did you mean "{meant}"?'
            context = {"key": key, "problem": problem, "hint": f"such as {words.example(meant)}"}
            return PydanticCustomError("unknown_kind", "{problem}", context)
    for key in keys:
        if kinds := words.options.get(key):
            one = kinds[0]
            hint = f"write - {one}: {{{key}: …}}" if words.inside else f"add it, such as {one}: {words.examples[one]}"
            problem = f'"{key}" goes with {" or ".join(kinds)}, which this item lacks'
            return PydanticCustomError("unknown_kind", "{problem}", {"key": key, "problem": problem, "hint": hint})
    way_out = did_you_mean(keys[0], choices) or f"; one of {', '.join(choices)}"
    return PydanticCustomError("unknown_kind", "{problem}", {"key": keys[0], "problem": f"unknown {noun}{way_out}"})


@dataclass(frozen=True, slots=True)
class KeyedModels:
    """Annotation of a union of models: which one is meant is told by the key that only it has.

    ``examples`` are values of these keys, as YAML has them, ``others`` what people call the keys.
    """

    noun: str
    models: tuple[tuple[str, type[BaseModel]], ...]
    examples: Mapping[str, str]
    others: Mapping[str, str]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices = {key: handler.generate_schema(model) for key, model in self.models}
        options = kinds_by_option(dict(self.models))
        words = Words(
            self.examples, {key: kinds for key, kinds in options.items() if key not in choices}, others=self.others
        )
        return choose(self.noun, choices, words, written=lambda chosen: chosen.model_dump())


def kinds_by_option(models: Mapping[str, type[BaseModel]]) -> dict[str, tuple[str, ...]]:
    """Return the kinds that have each key."""
    found: dict[str, tuple[str, ...]] = {}
    for kind, model in models.items():
        for name, info in model.model_fields.items():
            key = info.alias or key_of(name)
            found[key] = (*found.get(key, ()), kind)
    return found
