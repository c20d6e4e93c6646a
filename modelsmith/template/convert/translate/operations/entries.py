"""The names of the members of a value, and the pairs of names and members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    Truth,
    operand,
)
from modelsmith.template.convert.translate.values.members import MEMBERS
from modelsmith.template.convert.translate.values.values import (
    MAPS,
    Fields,
    Go,
    Items,
    Known,
    Thing,
    Value,
    cannot,
)

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State


def items_of(state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
    """Return the pairs of names and members of a value."""
    match value:
        case Fields(values):
            return Items(tuple(Items((Known(key), item)) for key, item in values.items()))
        case Thing(kind) if kind in MEMBERS:
            entries, guards = [], []
            for key in MEMBERS[kind]:
                found = state.member(state, value, Known(key))
                guards.append(_present(value, key))
                entries.append(Items((Known(key), found)))
            return Items(tuple(entries), tuple(guards))
        case Thing(kind) if kind in MAPS:
            return Thing(f"items of {kind}", value.expression)
        case Go(expression, "json"):
            return Thing("items of arguments", expression)
        case _:
            raise cannot("the members of this")


def _present(thing: Thing, key: str) -> Truth:
    present = MEMBERS[thing.kind][key].present
    return f"{operand(thing.expression)}.{present}" if present else True


def sorted_items(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Return the pairs in the order of their names."""
    found = items_of(state, value, arguments, named)
    if isinstance(found, Items):
        keys = [items.values[0] for items in found.values if isinstance(items, Items)]
        names = [str(key.value) for key in keys if isinstance(key, Known)]
        places = sorted(range(len(found.values)), key=names.__getitem__)
        guards = tuple(found.guard(place) for place in places) if found.guards else ()
        return Items(tuple(found.values[place] for place in places), guards)
    return found


def keys_of(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Return the names of the members of a value."""
    if isinstance(value, Thing) and value.kind in MAPS:
        return value
    pairs = items_of(state, value, arguments, named)
    if not isinstance(pairs, Items):
        raise cannot("the names of the members of this")
    return Items(tuple(items.values[0] for items in pairs.values if isinstance(items, Items)), pairs.guards)
