"""Which values are equal, which comes first, and what is in what.

Source: llama.cpp, common/jinja/value.h (``equivalent``, ``is_hashable``) and value.cpp (``value_compare``, the test ``in``).
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.values.model import (
    Function,
    Named,
    Undefined,
    Value,
    as_float,
    is_number,
    type_name,
)
from modelsmith.template.jinja.engine.values.printing import to_text
from modelsmith.template.jinja.engine.values.weight import TUPLES, check_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_INSERTED = 16


def is_fixed(value: Value) -> bool:
    """Say whether a value can be part of a key: it cannot change, and nothing in it can."""
    if isinstance(value, tuple):
        return all(map(is_fixed, value))
    return value is None or isinstance(value, (str, int, float, Named))


def is_comparable(value: list[Value] | tuple[Value, ...] | dict[Value, Value]) -> bool:
    """Say whether an array or object can be equal to another: all that is in it is fixed."""
    items = list(value.values()) if isinstance(value, dict) else value
    for item in items:
        check_weight(item, TUPLES)
    return all(map(is_fixed, items))


def equal(left: Value, right: Value) -> bool:
    """Say whether ``left == right`` holds in a template."""
    if isinstance(left, str):
        return isinstance(right, str) and left == right
    if isinstance(left, (int, float)):
        return isinstance(right, (int, float)) and left == right
    if left is None:
        return right is None
    if isinstance(left, Undefined):
        return isinstance(right, Undefined)
    if isinstance(left, (list, tuple)):
        if isinstance(left, list) != isinstance(right, list) or not isinstance(right, (list, tuple)):
            return False
        return len(left) == len(right) and is_comparable(left) and is_comparable(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        return is_comparable(left) and is_comparable(right) and all(map(equal, _flat(left), _flat(right)))
    if isinstance(left, Function):
        return isinstance(right, Function)
    return left is right


def _flat(items: dict[Value, Value]) -> Iterator[Value]:
    for pair in items.items():
        yield from pair


def check_key(key: Value) -> None:
    """Raise Failure for a value that cannot be the key of an object."""
    check_weight(key, TUPLES)
    if not is_fixed(key):
        raise Failure(f"Object key of unhashable type: {type_name(key)}")


def compare_values(left: Value, right: Value, operator: str) -> bool:
    """Say whether ``eq``, ``ne``, ``lt``, ``gt`` or ``ge`` holds, as tests and sorting ask for it.

    Values of kinds that have no order hold for none of them, not even ``ne``.
    """
    both: Any
    if is_number(left) and is_number(right):
        both = as_float(left), as_float(right)
    elif (isinstance(left, str) and (isinstance(right, str) or is_number(right))) or (
        isinstance(right, str) and is_number(left)
    ):
        both = to_text(left), to_text(right)
    elif isinstance(left, bool) and isinstance(right, bool):
        if operator not in {"eq", "ne"}:
            raise Failure("Unsupported comparison operator for bool type")
        both = left, right
    else:
        return False
    if operator == "eq":
        return bool(both[0] == both[1])
    if operator == "ne":
        return bool(both[0] != both[1])
    if operator == "lt":
        return bool(both[0] < both[1])
    return bool(both[0] > both[1] if operator == "gt" else both[0] >= both[1])


def is_in(needle: Value, haystack: Value) -> bool:
    """Say whether ``needle in haystack`` holds."""
    if isinstance(haystack, Undefined):
        return False
    if isinstance(haystack, (list, tuple)):
        return any(equal(needle, item) for item in haystack)
    if isinstance(haystack, str):
        if not isinstance(needle, str):
            raise Failure(
                f"'in' test expects args[1] as string when args[0] is string, got args[1] as {type_name(needle)}"
            )
        return needle in haystack
    if isinstance(haystack, dict):
        check_key(needle)
        return needle in haystack
    raise Failure(f"'in' test expects iterable as first argument, got {type_name(haystack)}")


def in_order(items: list[Value], before: Callable[[Value, Value], bool]) -> list[Value]:
    """Sort as the ``std::sort`` of llama.cpp's builds does, which shows where values have no order among each other.

    Up to sixteen items it inserts one after the other; how it orders equal ones of more is not followed.
    """
    if len(items) > _INSERTED:
        return sorted(items, key=cmp_to_key(lambda left, right: -1 if before(left, right) else 0))
    for place in range(1, len(items)):
        item = items.pop(place)
        if before(item, items[0]):
            target = 0
        else:
            target = place
            while before(item, items[target - 1]):
                target -= 1
        items.insert(target, item)
    return items
