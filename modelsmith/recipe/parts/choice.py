"""Mappings whose kind is told by the one key that says it: ``inject: …``, ``prompt-ends-with: …``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from modelsmith.diagnostic import did_you_mean
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler


def mark(kind: str) -> str:
    """Return how a kind shows in the place of an error, where it stands beside the real keys."""
    return f"<{kind}>"


def choose(
    noun: str,
    choices: Mapping[str, core_schema.CoreSchema],
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
            raise PydanticCustomError("not_a_mapping", f"expected a mapping with one of the keys {known}")
        found = [key for key in value if key in choices]
        if len(found) > 1:
            context = {"key": found[1], "first": found[0]}
            raise PydanticCustomError(
                "two_kinds", f"one {noun} an item: start a new item of the list for {{key}}", context
            )
        if not found:
            unknown = next(iter(value), None)
            if unknown is None:
                raise PydanticCustomError("no_kind", f"expected one of the keys {known}")
            context = {"key": unknown, "way_out": did_you_mean(unknown, choices) or f"; one of {known}"}
            raise PydanticCustomError("unknown_kind", f"unknown {noun}{{way_out}}", context)
        return value

    def kind(value: Mapping[str, Any]) -> str:
        return mark(next(key for key in value if key in choices))

    union = core_schema.tagged_union_schema({mark(key): schema for key, schema in choices.items()}, kind)
    checked = core_schema.no_info_before_validator_function(check, union)
    serialization = core_schema.plain_serializer_function_ser_schema(written)
    return core_schema.no_info_after_validator_function(read, checked, serialization=serialization)


@dataclass(frozen=True, slots=True)
class KeyedModels:
    """Annotation of a union of models: which one is meant is told by the key that only it has."""

    noun: str
    models: tuple[tuple[str, type], ...]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices = {key: handler.generate_schema(model) for key, model in self.models}
        return choose(self.noun, choices, written=lambda chosen: chosen.model_dump())
