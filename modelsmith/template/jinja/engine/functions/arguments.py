"""The arguments of one call.

Source: llama.cpp, common/jinja/value.h (``func_args``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.values.model import UNDEFINED, Named, Undefined, Value, type_name

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.budget import Run

Variables = dict[str, Value]
"""The variables that can be seen; a macro sees those of its caller."""


class ArgumentType:
    """A type that a function demands; ``symbol`` is how llama.cpp's error writes it."""

    __slots__ = ("excluded", "symbol", "types")

    def __init__(self, symbol: str, *types: type, excluded: type | tuple[()] = ()) -> None:
        self.symbol = f"St10shared_ptrIN5jinja{len(symbol)}{symbol}EE"
        self.types = types
        self.excluded = excluded

    def holds(self, value: Value) -> bool:
        """Say whether a value is of this type."""
        return isinstance(value, self.types) and not isinstance(value, self.excluded)


STRING = ArgumentType("value_string_t", str)
INTEGER = ArgumentType("value_int_t", int, excluded=bool)
FLOAT = ArgumentType("value_float_t", float)
BOOLEAN = ArgumentType("value_bool_t", bool)
ARRAY = ArgumentType("value_array_t", list, tuple)
OBJECT = ArgumentType("value_object_t", dict)


class Arguments:
    """What a function is called with: its values, the one it was looked up in first; the caller's variables and the run."""

    __slots__ = ("name", "run", "scope", "values")

    def __init__(self, name: str, values: list[Value], scope: Variables, run: Run) -> None:
        self.name = name
        self.values = values
        self.scope = scope
        self.run = run

    def count(self, least: int, most: int = 999) -> int:
        """Return how many there are; raises Failure where that is too few or too many."""
        found = len(self.values)
        if not least <= found <= most:
            raise Failure(f"Function '{self.name}' expected between {least} and {most} arguments, got {found}")
        return found

    def at(self, place: int) -> Value:
        """Return the one at this place; raises Failure where there is none."""
        if place < len(self.values):
            return self.values[place]
        raise Failure(f"Function '{self.name}' expected at least {place + 1} arguments, got {len(self.values)}")

    def named(self, key: str, default: Value = UNDEFINED) -> Value:
        """Return the one of this name."""
        for value in self.values:
            if isinstance(value, Named) and value.key == key:
                return value.value
        return default

    def named_or_at(self, key: str, place: int) -> Value:
        """Return the one of this name, else the one at this place unless it has a name."""
        value = self.named(key)
        if isinstance(value, Undefined) and place < len(self.values) and not isinstance(self.values[place], Named):
            return self.values[place]
        return value

    def demand(self, *kinds: ArgumentType, least: int | None = None) -> list[Any]:
        """Check the types of the first ones, of which ``least`` (else all) must be there; return the values."""
        self.count(len(kinds) if least is None else least)
        for place in range(min(len(kinds) if least is None else least, len(self.values))):
            self._check(kinds[place], self.values[place])
        return self.values

    def _check(self, kind: ArgumentType, value: Value) -> None:
        if not kind.holds(value):
            raise Failure(f"Function '{self.name}' expected value of type {kind.symbol}, got {type_name(value)}")
