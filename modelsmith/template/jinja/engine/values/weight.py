"""How much a value holds, counted before something walks through all of it.

A list that holds a list twice, sixty times over, is small in memory and endless to walk through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.failures import LimitReached

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.values.model import Value

LARGEST = 20_000_000
"""Items and bytes of a value that are still walked through."""

_DEEPEST = 150
"""More levels than a conversation can have: its arguments and schemas have at most a hundred, inside of messages and calls."""

Holders = tuple[type[Any], ...]
ALL: Holders = (list, tuple, dict)
LISTS: Holders = (list, tuple)
TUPLES: Holders = (tuple,)
"""What is walked through: all that holds values, for printing only lists (objects print nothing), for comparing only tuples (what
holds anything that can change is equal to nothing)."""


def check_weight(value: Value, holders: Holders = ALL) -> None:
    """Raise LimitReached for a value that holds too much, or itself; only ``holders`` are walked through."""
    if isinstance(value, holders) and _weight(value, {}, 0, holders) > LARGEST:
        raise LimitReached(f"it walks through a list of more than {LARGEST:,} bytes or items")


def _weight(value: Value, known: dict[int, int], depth: int, holders: Holders) -> int:
    if isinstance(value, str):
        return len(value) + 1
    if not isinstance(value, holders):
        return 1
    if depth > _DEEPEST:
        raise LimitReached("it walks through lists that hold each other without end")
    found = known.get(id(value))
    if found is None:
        items = (*value, *value.values()) if isinstance(value, dict) else value
        found = known[id(value)] = 1 + sum([_weight(item, known, depth + 1, holders) for item in items])
    return found
