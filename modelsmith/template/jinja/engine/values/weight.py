"""How much a value holds, counted before something walks through all of it.

A list that holds a list twice, sixty times over, is small in memory and endless to walk through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.failures import LimitReached

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.values.model import Value

LARGEST = 20_000_000
"""Items and bytes of a value that are still walked through."""

_DEEPEST = 100


def check_weight(value: Value) -> None:
    """Raise LimitReached for a value that holds too much, or itself."""
    if isinstance(value, (list, tuple, dict)) and _weight(value, {}, 0) > LARGEST:
        raise LimitReached(f"it walks through a list of more than {LARGEST:,} bytes or items")


def _weight(value: Value, known: dict[int, int], depth: int) -> int:
    if isinstance(value, str):
        return len(value) + 1
    if not isinstance(value, (list, tuple, dict)):
        return 1
    if depth > _DEEPEST:
        raise LimitReached("it walks through lists that hold each other without end")
    found = known.get(id(value))
    if found is None:
        items = (*value, *value.values()) if isinstance(value, dict) else value
        found = known[id(value)] = 1 + sum([_weight(item, known, depth + 1) for item in items])
    return found
