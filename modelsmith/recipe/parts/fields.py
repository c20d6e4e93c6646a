"""What every part of a recipe's schema is built of: strict frozen models, and the values that occur in many places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


def key_of(name: str) -> str:
    """Return how YAML spells the field ``name``: ``prompt_ends_with`` is ``prompt-ends-with``, ``from_`` is ``from``."""
    return name.rstrip("_").replace("_", "-")


class Part(BaseModel):
    """A part of a recipe: unknown keys are errors, nothing is converted, nothing changes after reading."""

    model_config = ConfigDict(
        strict=True,
        defer_build=True,
        extra="forbid",
        frozen=True,
        alias_generator=key_of,
        serialize_by_alias=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe each key with what stands below its field."""
        from modelsmith.recipe.parts.docstrings import field_docstrings

        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in field_docstrings(cls).items():
            if name in cls.model_fields:
                properties.get(cls.model_fields[name].alias, {}).setdefault("description", text)
        return schema


When: TypeAlias = Literal["always", "thinking", "not-thinking"]
"""For which requests: ``thinking`` unless one says ``think: false``, ``not-thinking`` only then."""

At: TypeAlias = Literal[
    "generation-prompt",
    "start",
    "before-system",
    "after-system",
    "before-user",
    "after-user",
    "before-last-user",
    "after-last-user",
    "before-assistant",
    "after-assistant",
]
"""Where in a prompt a text can be put; the same names as in ``inject_positions.NAMES``."""

Scalar: TypeAlias = str | int | float | bool
"""A single value as YAML gives it; ``yes`` and ``on`` are text, as YAML 1.2 has it."""


# Patterns of texts, and what is expected where one does not match.
NAME: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
INPUT_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_-]*$"
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
VERSION: Final = r"^v?\d{1,6}(\.\d{1,6}){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
EXPECTED: Final = {
    NAME: "small letters, digits and single dashes between them",
    INPUT_NAME: "a letter or _, then letters, digits, - and _",
    VARIABLE: "the name of an environment variable",
    VERSION: 'a version such as "0.12.0"',
}


def is_scalar(value: object) -> bool:
    """Say whether a value is text, a finite number, true or false."""
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _check_scalar(value: object) -> object:
    if value is None or is_scalar(value):
        return value
    raise PydanticCustomError("scalar_value", "expected text, a number, true or false")


def _check_parameter(value: object) -> object:
    if value is None or is_scalar(value) or (isinstance(value, tuple) and all(map(is_scalar, value))):
        return value
    raise PydanticCustomError("parameter_value", "expected text, a number, true, false, or a list of them")


_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}

ScalarValue = Annotated[
    Any, BeforeValidator(_check_scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
"""A Scalar, checked as one; errors are about one type instead of four."""

Parameter = Annotated[
    Any,
    BeforeValidator(_check_parameter),
    WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA}, {"type": "null"}]}),
]
"""A PARAMETER's value: a Scalar, a tuple of them (``stop``), or None to unset it."""


def _check_metadata(value: object) -> object:
    inner = value
    if isinstance(value, dict):
        if set(value) != {"type", "value"}:
            raise PydanticCustomError(
                "metadata_value", "expected the keys type and value, such as {type: u32, value: 7}"
            )
        inner = value["value"]
        _check_type(value["type"])
    if is_scalar(inner) or (isinstance(inner, tuple) and all(map(is_scalar, inner))):
        return value
    raise PydanticCustomError("metadata_value", "expected text, a number, true, false, or a list of them")


def _check_type(name: object) -> None:
    from modelsmith.errors import UsageError
    from modelsmith.weights.gguf.values import ValueKind

    try:
        ValueKind.parse(str(name))
    except UsageError as error:
        raise PydanticCustomError(
            "metadata_type", "{problem}", {"problem": error.message, "hint": error.hint}
        ) from error


_METADATA_SCHEMA: dict[str, Any] = {"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA}]}

MetadataValue = Annotated[
    Any,
    BeforeValidator(_check_metadata),
    WithJsonSchema(
        {
            "anyOf": [
                *_METADATA_SCHEMA["anyOf"],
                {
                    "type": "object",
                    "properties": {"type": {"type": "string"}, "value": _METADATA_SCHEMA},
                    "required": ["type", "value"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A value of a GGUF's metadata: a Scalar, a tuple of them, or one with its type."""


def one_as_many(value: object) -> object:
    """Let one value stand for a list of one."""
    return value if isinstance(value, tuple | dict) else (value,)


Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""

Texts = Annotated[tuple[Text, ...], BeforeValidator(one_as_many, json_schema_input_type=Text | tuple[Text, ...])]
"""A text, or a list of texts."""
