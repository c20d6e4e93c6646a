"""Items and parts of lists, and what is chosen from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    Cond,
    Do,
    Lit,
    Loop,
    Truth,
    applied,
    both,
    joined,
    operand,
    quoted,
)
from modelsmith.template.convert.translate.values.values import (
    FAILED,
    MAPS,
    MISSING,
    TEXTS,
    Built,
    Each,
    Go,
    Items,
    Known,
    NeedsVariable,
    Rest,
    Thing,
    Value,
    cannot,
    is_number,
    is_text,
    number,
    pick,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.convert.translate.code.go_code import Code
    from modelsmith.template.convert.translate.state import State

ELEMENTS = {
    "messages": "message",
    "calls": "call",
    "tools": "tool",
    "texts": "text",
    "kinds": "type",
    "values": "json",
    "properties list": "property",
    "properties": "property",
    "inner properties": "property",
    "arguments": "json",
    "tool functions": "function",
    "call functions": "called",
}


def item(kind: str, expression: str, first: Truth = False) -> Value:
    """Return an element of a list or a map of this kind."""
    element_kind = ELEMENTS[kind]
    if element_kind in TEXTS or element_kind == "json":
        return Go(expression, element_kind)
    return Thing(element_kind, expression, first)


def element(state: State, owner: Thing, key: Value) -> Value:
    """Return an item of a list, or of a map by its name."""
    if owner.kind in MAPS:
        if owner.kind == "inner properties" or not is_text(key):
            raise cannot("a parameter by its name here")
        return item(owner.kind, f"index {operand(owner.expression)} {operand(state.text(key))}")
    if not is_number(key):
        return MISSING
    if owner.tests:
        return _chosen_item(state, owner, key)
    if owner.reversed:
        raise cannot("an item of a list from its end")
    if isinstance(key, Known):
        return _at(owner, key.value)
    if not isinstance(key, Go):
        raise cannot("an item by this")
    whole, base = operand(owner.expression), operand(key.expression)
    if key.offset == 0:
        return pick(applied("lt", key.expression, f"len {whole}"), item(owner.kind, f"index {whole} {base}"), MISSING)
    if key.offset > 0:
        there = f"gt (len (slice {whole} {base})) {key.offset}"
        return pick(there, item(owner.kind, f"index (slice {whole} {base}) {key.offset}"), MISSING)
    before = f"slice {whole} 0 {base}"
    there = f"ge {base} {-key.offset}"
    found = f"index {whole} (len (slice ({before}) {-key.offset}))"
    return pick(there, item(owner.kind, found), _at(owner, key.offset) if key.offset == -1 else MISSING)


def _at(owner: Thing, place: int) -> Value:
    whole = operand(owner.expression)
    if place == 0:
        found = item(owner.kind, f"index {whole} 0", owner.first)
        return pick(owner.expression, found, MISSING)
    if place > 0:
        return pick(f"gt (len {whole}) {place}", item(owner.kind, f"index {whole} {place}"), MISSING)
    last = item(owner.kind, f"index {whole} (len (slice {whole} {-place}))", both(owner.first, f"eq (len {whole}) 1"))
    if place == -1:
        return pick(owner.expression, last, MISSING)
    return pick(f"ge (len {whole}) {-place}", last, MISSING)


def _chosen_item(state: State, owner: Thing, key: Value) -> Value:
    """Return the first or the last item that was chosen from a list."""
    if not isinstance(key, Known) or key.value not in {0, -1} or owner.reversed:
        raise cannot("this item of what is chosen from a list")
    found, there = state.fresh("chosen"), state.fresh("found")
    state.made += 1
    item_name = f"$each{state.made}"
    with state.writing() as code:
        test = meets(state, owner, item(owner.kind, item_name))
        take = (Do(f"{found} = {item_name}"), Do(f"{there} = true"), *((Do("break"),) if key.value == 0 else ()))
        state.emit(*((Cond(test, take),) if isinstance(test, str) else take if test else ()))
    state.emit(Do(f"{there} = false"), Loop(f"$_, {item_name} := {owner.expression}", item_name, tuple(code)))
    return pick(there, item(owner.kind, found), MISSING)


def meets(state: State, owner: Thing, item_name: Value) -> Truth:
    """Return the condition under which an element is chosen."""
    found: Truth = True
    for test in owner.tests:
        found = both(found, test(state, item_name))
    return found


def counted(state: State, owner: Thing | Items) -> Go:
    """Return how many items a list has."""
    count = state.fresh("count")
    if isinstance(owner, Items):
        add = (Do(f"{count} = {number(Go(count, 'int', 1))}"),)
        state.emit(Do(f"{count} = 0"), *over_items(owner, lambda _: add))
        return Go(count, "int")
    if not owner.tests:
        return Go(size_of(owner), "int")
    state.made += 1
    item_name = f"$each{state.made}"
    with state.writing() as code:
        test = meets(state, owner, item(owner.kind, item_name))
        add = (Do(f"{count} = {number(Go(count, 'int', 1))}"),)
        state.emit(*((Cond(test, add),) if isinstance(test, str) else add if test else ()))
    state.emit(Do(f"{count} = 0"), Loop(f"$_, {item_name} := {owner.expression}", item_name, tuple(code)))
    return Go(count, "int")


def chosen(state: State, owner: Thing | Items) -> Truth:
    """Return the condition under which there is anything in a list."""
    return holds_for_any(state, owner, lambda _: True) if isinstance(owner, Items) else counted(state, owner).expression


def over_items(items: Items, one: Callable[[Value], Code]) -> Code:
    """Return the code that does something for each item that is there."""
    found: Code = ()
    for place, value in enumerate(items.values):
        if isinstance(value, Rest):
            raise NeedsVariable(value.key, FAILED)
        if isinstance(value, Each):
            code = one(value.value)
            inner: Code = (Cond(value.guard, code),) if isinstance(value.guard, str) else code
            code = value.around(inner)
        else:
            code = one(value)
        guard = items.guard(place)
        found += (Cond(guard, code),) if isinstance(guard, str) else code if guard else ()
    return found


def holds_for_any(state: State, items: Items, test: Callable[[Value], Truth]) -> Truth:
    """Return the condition under which a condition holds for an item."""
    name = state.fresh("found")

    def one(value: Value) -> Code:
        with state.writing() as code:
            holds = test(value)
        take = (Do(f"{name} = true"),)
        return (*code, *((Cond(holds, take),) if isinstance(holds, str) else take if holds else ()))

    state.emit(Do(f"{name} = false"), *over_items(items, one))
    return name


def selected(owner: Thing, test: Callable[[State, Value], Truth]) -> Value:
    """Return the items that meet a test."""
    if owner.kind == "inner properties":
        raise cannot("choosing from these parameters")
    return Thing(owner.kind, owner.expression, owner.first, owner.reversed, (*owner.tests, test))


def sliced(state: State, owner: Value, bounds: Sequence[Value | None]) -> Value:
    """Return a part of a list or of a text."""
    first, last, step = bounds
    if isinstance(owner, Thing) and owner.kind == "parts" and step is None:
        if last is None and first == Known(1):
            return Thing("parts but the first", owner.expression, tests=owner.tests)
        if first is None and last == Known(-1):
            return Thing("parts but the last", owner.expression, tests=owner.tests)
        raise cannot("these parts of a text that is split")
    if (
        isinstance(owner, Items)
        and not owner.guards
        and all(value is None or isinstance(value, Known) for value in bounds)
    ):
        known = [value.value if isinstance(value, Known) else None for value in bounds]
        return Items(owner.values[slice(*known)])
    if isinstance(owner, Known) and isinstance(owner.value, str):
        known = [value.value if isinstance(value, Known) else None for value in bounds]
        return Known(owner.value[slice(*known)])
    if isinstance(step, Known) and step.value == -1 and first is None and last is None and isinstance(owner, Thing):
        return Thing(owner.kind, owner.expression, owner.first, not owner.reversed, owner.tests)
    if step is not None and not (isinstance(step, Known) and step.value == 1):
        raise cannot("every so many of a list")
    if isinstance(owner, Thing) and owner.kind not in MAPS and not owner.tests and not owner.reversed:
        return _part(owner, first, last)
    if is_text(owner):
        return _part_of_text(state, owner, first, last)
    raise cannot("a part of this")


def _part(owner: Thing, first: Value | None, last: Value | None) -> Value:
    whole, starts = operand(owner.expression), owner.first
    expression = owner.expression
    if last is not None and not (isinstance(last, Known) and last.value is None):
        expression = f"slice {whole} 0 {_bound(whole, last)}"
    if first is not None and not (isinstance(first, Known) and first.value in {None, 0}):
        starts = False
        expression = f"slice {operand(expression)} {_bound(whole, first)}"
    return Thing(owner.kind, expression, starts)


def _bound(whole: str, value: Value) -> str:
    if isinstance(value, Known) and is_number(value):
        return str(value.value) if value.value >= 0 else f"(len (slice {whole} {-value.value}))"
    if isinstance(value, Go) and value.kind == "int":
        return operand(number(value))
    raise cannot("a part of a list with such an end")


def _part_of_text(state: State, owner: Value, first: Value | None, last: Value | None) -> Value:
    if isinstance(owner, Built) and owner.code:
        code = list(joined(owner.code))
        end, start = code[-1], code[0]
        if (
            first is None
            and isinstance(last, Known)
            and last.value < 0
            and isinstance(end, Lit)
            and len(end.text) >= -last.value
        ):
            return Built((*code[:-1], Lit(end.text[: last.value])))
        if (
            last is None
            and isinstance(first, Known)
            and first.value > 0
            and isinstance(start, Lit)
            and len(start.text) >= first.value
        ):
            return Built((Lit(start.text[first.value :]), *code[1:]))
    name = state.fresh("text")
    state.emit(Do(f"{name} = {state.text(owner)}"))
    for bound, is_first in ((last, False), (first, True)):
        if bound is None:
            continue
        if isinstance(bound, Go) and bound.kind == "int":
            cut = f"slice {name} {operand(number(bound))}" if is_first else f"slice {name} 0 {operand(number(bound))}"
            state.emit(Do(f"{name} = {cut}"))
            continue
        if not isinstance(bound, Known) or not is_number(bound):
            raise cannot("a part of a text with such an end")
        size, place = abs(bound.value), bound.value
        there = f"ge (len {name}) {size}"
        at = str(place) if place >= 0 else f"(len (slice {name} {size}))"
        if is_first:
            cut, short = f"slice {name} {at}", quoted("") if place >= 0 else name
        else:
            cut, short = f"slice {name} 0 {at}", name if place >= 0 else quoted("")
        state.emit(Cond(there, (Do(f"{name} = {cut}"),), (Do(f"{name} = {short}"),)))
    return Go(name, "text")
