"""Loops: over what is known item by item, written out; over what is in a chat, as ``range``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Truth, both, negated, operand
from modelsmith.template.convert.translate.loops.ranges import grown_list, put, ranged, remembered_texts
from modelsmith.template.convert.translate.operations.cells import content_of
from modelsmith.template.convert.translate.operations.entries import keys_of
from modelsmith.template.convert.translate.values.members import MEMBERS
from modelsmith.template.convert.translate.values.values import (
    LISTS,
    MISSING,
    Cell,
    Each,
    Fields,
    Go,
    Items,
    Known,
    Pick,
    Rest,
    Seen,
    Thing,
    Value,
    boolean,
    cannot,
    is_text,
    picked,
)
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.model import Undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.convert.translate.state import State

    Branches = Callable[[State, Truth, Callable[[], bool], Callable[[], bool]], bool]


def loop(state: State, node: nodes.For, branches: Branches) -> bool:
    """Run a loop."""
    chosen = node.iterable if isinstance(node.iterable, nodes.Select) else None
    value = state.value(state, chosen.value if chosen else node.iterable)
    with state.scope():
        return _over(state, node, value, chosen.test if chosen else None, branches)


def _over(state: State, node: nodes.For, value: Value, test: nodes.Node | None, branches: Branches) -> bool:
    value = state.simple(value)
    if isinstance(value, Cell):
        value = content_of(state, value)
    if isinstance(value, Pick):
        one = _as_one(state, value)
        if one is None:
            yes, no = value.yes, value.no
            return branches(
                state,
                value.test,
                lambda: _over(state, node, yes, test, branches),
                lambda: _over(state, node, no, test, branches),
            )
        value = one
    match value:
        case Known(known) if known is None or isinstance(known, Undefined):
            return state.body(state, node.otherwise)
        case Fields(values):
            return _unrolled(state, node, Items(tuple(map(Known, values))), test, branches)
        case Seen():
            return remembered_texts(state, node, value, test, branches)
        case Items(values) if any(isinstance(inner, (Each, Rest)) for inner in values):
            return grown_list(state, node, value, test, branches)
        case Items():
            return _unrolled(state, node, value, test, branches)
        case Thing(kind) if kind in MEMBERS:
            keys = keys_of(state, value, [], {})
            return _unrolled(state, node, keys if isinstance(keys, Items) else Items(()), test, branches)
        case Thing():
            return ranged(state, node, value, test, branches)
        case Go(expression, "json"):
            kind = f'eq (printf "%T" {operand(expression)}) '
            if state.decided(f'{kind}"map[string]interface {{}}"') is True:
                return ranged(state, node, Thing("arguments", expression), test, branches)
            return ranged(state, node, Thing("values", expression), test, branches)
        case _ if is_text(value):
            state.fail("a loop over a text is refused")
            return False
        case _:
            raise cannot("a loop over this")


def _as_one(state: State, value: Value) -> Thing | None:
    """Return several lists of one kind as one variable, None where they are not of one kind."""
    if isinstance(value, Thing) and not value.tests and not value.reversed and value.kind in LISTS:
        return value
    if not isinstance(value, Pick):
        return None
    with state.writing() as yes:
        one = _as_one(state, value.yes)
    with state.writing() as no:
        other = _as_one(state, value.no)
    if one is None or other is None or one.kind != other.kind:
        return None
    name = state.fresh("list")
    state.emit(
        Cond(
            value.test,
            (*yes, Do(f"{name} = {one.expression}")),
            (*no, Do(f"{name} = {other.expression}")),
        )
    )
    return Thing(one.kind, name, picked(value.test, one.first, other.first))


def _unrolled(state: State, node: nodes.For, items: Items, test: nodes.Node | None, branches: Branches) -> bool:
    values = list(zip(items.values, (items.guard(place) for place in range(len(items.values))), strict=True))
    if test is not None:
        kept = []
        for value, guard in values:
            put(state, node.target, value)
            holds = state.truth(state.value(state, test))
            if both(guard, holds) is not False:
                kept.append((value, both(guard, holds)))
        values = kept
    if not values:
        return state.body(state, node.otherwise)
    unsure = any(guard is not True for _, guard in values)
    for place, (value, guard) in enumerate(values):
        if unsure:
            state.names["loop"] = Fields(
                {
                    "first": Known(True) if place == 0 and guard is True else _first(values[:place]),
                    "last": _first(values[place + 1 :]),
                }
            )
        else:
            state.names["loop"] = _known_loop([inner for inner, _ in values], place)

        def run(value: Value = value) -> bool:
            put(state, node.target, value)
            state.unrolled.append(state.undecided)
            going_on = state.body(state, node.body)
            state.unrolled.pop()
            return going_on or state.left == "continue"

        state.left = ""
        if guard is True:
            if not run():
                break
        else:
            branches(state, guard, run, lambda: True)
    state.left = ""
    return True


def _first(others: Sequence[tuple[Value, Truth]]) -> Value:
    """Say whether none of these items is there."""
    found: Truth = True
    for _, guard in others:
        found = both(found, negated(guard))
    return boolean(found)


def _known_loop(values: Sequence[Value], place: int) -> Fields:
    size = len(values)
    return Fields(
        {
            "index": Known(place + 1),
            "index0": Known(place),
            "first": Known(place == 0),
            "last": Known(place == size - 1),
            "length": Known(size),
            "revindex": Known(size - place),
            "revindex0": Known(size - place - 1),
            "previtem": values[place - 1] if place else MISSING,
            "nextitem": values[place + 1] if place < size - 1 else MISSING,
        }
    )
