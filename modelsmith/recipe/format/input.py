"""The inputs that a recipe declares."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from modelsmith.recipe.parts.fields import (
    VARIABLE,
    Part,
    ScalarValue,
)

InputType: TypeAlias = Literal["text", "integer", "number", "boolean", "path"]


class Input(Part):
    """A value that whoever uses the recipe can give: `--set name=value`, and `${name}` in the recipe."""

    description: str = ""
    """What it is for, in one sentence."""

    type: InputType = "text"
    """`text`, `integer`, `number`, `boolean` (`true` or `false`), or `path` (relative to where the value is given)."""

    default: ScalarValue = None
    """Used when no value is given; may refer to other inputs. An input without `default` is required; null means "no value":
    a key or item that is exactly this input is then left out."""

    choices: Annotated[tuple[ScalarValue, ...], Field(min_length=1)] | None = None
    """The values that are allowed."""

    minimum: Annotated[float, Field(strict=False, allow_inf_nan=False)] | None = None
    """The least value of an `integer` or a `number`."""

    env: Annotated[str, Field(pattern=VARIABLE)] | None = None
    """An environment variable to take the value from when `--set` does not give it. Only a recipe of your own may say so."""

    secret: bool = False
    """Whether nobody may get to see the value: it is hidden in plans, messages, JSON, locks and pages. It has no default."""

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return "default" not in self.model_fields_set
