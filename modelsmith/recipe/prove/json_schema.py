"""JSON Schemas of recipes: from anybody, so nothing is fetched for them and no expression in them takes long.

Source: JSON Schema 2020-12 (https://json-schema.org/draft/2020-12); the package jsonschema does the work.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UsageError
from modelsmith.recipe.parts.pattern import AnswerPattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 64


class JsonShape:
    """A schema; raises UsageError for one that is none, names other documents, or has expressions that may take long."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema.exceptions import SchemaError

        for key, value in _entries(schema, 0):
            if key in {"$ref", "$dynamicRef"} and not str(value).startswith("#"):
                raise UsageError(f'the schema names another document: "{value!s:.100}"', hint="write its content here")
            if key == "pattern" and isinstance(value, str):
                AnswerPattern(value)
            if key == "patternProperties":
                raise UsageError("patternProperties is not supported here", hint="name the properties")
        try:
            _validator().check_schema(schema)
        except (SchemaError, RecursionError) as error:
            raise UsageError(f"this is no JSON Schema: {_message(error)}") from error
        self._schema = schema

    def fault(self, value: Any) -> str:
        """Return what is wrong with a value, "" where it has the shape."""
        from jsonschema.exceptions import best_match
        from referencing import Registry
        from referencing.exceptions import Unresolvable

        try:
            error = best_match(_validator()(self._schema, registry=Registry()).iter_errors(value))
        except Unresolvable as missing:
            raise UsageError(f"the schema names what is not there: {missing!s:.200}") from missing
        except RecursionError as endless:
            raise UsageError("the schema, or the answer, refers to itself without an end") from endless
        return f"{error.json_path}: {_message(error)}" if error is not None else ""


def _message(error: Exception) -> str:
    return f"{getattr(error, 'message', error)!s:.300}"


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: object, text: str, instance: object, _schema: object) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not AnswerPattern(text).found_in(instance):
            yield ValidationError(f"{instance!r:.100} does not match {text!r}")

    extended: Any = extend
    return extended(Draft202012Validator, {"pattern": pattern})


def _entries(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield every key of a schema and what it holds, however deep."""
    if depth > _DEEPEST:
        raise UsageError(f"the schema is nested more than {_DEEPEST} deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _entries(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner, depth + 1)
