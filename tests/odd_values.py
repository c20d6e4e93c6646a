"""JSON with one value of another type: what a broken, other or hostile peer may send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_DEEP = json.loads('{"a":' * 300 + "1" + "}" * 300)
ODD: tuple[Any, ...] = (5, -1, 1.5, float("inf"), True, "x", "", [], {}, [None], [5], [[]], {"a": 5}, _DEEP)


def other_types(value: Any, path: str = "", *, numbers: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the path of each value within a value, and the whole with something of another type there.

    With ``numbers``, one that can be no size counts as another type than one that can.
    """
    for odd in ODD:
        pair = {kind_of(odd), kind_of(value)}
        if len(pair) > 1 and (numbers or pair != {"size", "number"}):
            yield path or "the whole", odd
    if isinstance(value, dict):
        for key, item in value.items():
            for place, odd in other_types(item, f"{path}.{key}" if path else key, numbers=numbers):
                yield place, {**value, key: odd}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for place, odd in other_types(item, f"{path}[{number}]", numbers=numbers):
                yield place, [*value[:number], odd, *value[number + 1 :]]


def nulls(value: Any) -> Iterator[Any]:
    """Yield the value with null in each place but the whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {**value, key: None}
            yield from ({**value, key: odd} for odd in nulls(item))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield [*value[:number], None, *value[number + 1 :]]
            yield from ([*value[:number], odd, *value[number + 1 :]] for odd in nulls(item))


def kind_of(value: Any) -> str:
    """Return the type as JSON has it, numbers that can be no size apart."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "size" if isinstance(value, int) and value >= 0 else "number"
    return type(value).__name__
