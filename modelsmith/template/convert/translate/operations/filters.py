"""Filters of Jinja on values that are not known yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.convert.translate.code.go_code import (
    Code,
    Cond,
    Do,
    Lit,
    Loop,
    Out,
    Truth,
    applied,
    both,
    negated,
    operand,
    quoted,
)
from modelsmith.template.convert.translate.operations.cells import content_of
from modelsmith.template.convert.translate.operations.entries import items_of, keys_of, sorted_items
from modelsmith.template.convert.translate.operations.json_text import json_of, layout_of, text_of
from modelsmith.template.convert.translate.operations.lists import counted, element, over_items, selected
from modelsmith.template.convert.translate.operations.macros import text_value
from modelsmith.template.convert.translate.operations.text_filters import case, ended, replace_text, strip
from modelsmith.template.convert.translate.operations.texts import (
    around,
    begins,
    ends,
    occurrences,
    parts,
)
from modelsmith.template.convert.translate.values.printed import printed
from modelsmith.template.convert.translate.values.printed import text_of as known_text
from modelsmith.template.convert.translate.values.values import (
    LISTS,
    MISSING,
    Built,
    Cell,
    Each,
    Fields,
    Go,
    Items,
    Known,
    Rest,
    Thing,
    Value,
    boolean,
    cannot,
    is_text,
    pick,
    truth,
)
from modelsmith.template.jinja.engine.values.model import Undefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.state import State


def _layout(arguments: list[Value], named: dict[str, Value]) -> Any:
    words = dict(zip(("ensure_ascii", "indent", "separators", "sort_keys"), arguments, strict=False)) | named
    indent, separators = words.get("indent"), words.get("separators")
    margin = indent.value if isinstance(indent, Known) and isinstance(indent.value, int) else -1
    pair = None
    if isinstance(separators, Items) and len(separators.values) == 2:
        pair = tuple(known.value for known in separators.values if isinstance(known, Known))
    flag = words.get("ensure_ascii")
    ascii_only = isinstance(flag, Known) and bool(flag.value)
    return layout_of(margin, pair if pair and len(pair) == 2 else None, ascii_only=ascii_only)


def tojson(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Return a value as JSON."""
    if isinstance(value, Cell):
        value = content_of(state, value)
    with state.writing() as code:
        found = json_of(state, value, _layout(arguments, named))
    state.emit(*code)
    return text_value(found)


def filtered(state: State, name: str, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Apply a filter."""
    if name in {"tojson", "default", "d"}:
        if name == "tojson":
            return tojson(state, value, arguments, named)
        fallback = arguments[0] if arguments else Known("")
        flag = arguments[1] if len(arguments) > 1 else named.get("boolean", Known(False))
        if isinstance(flag, Known) and flag.value:
            return pick(state.truth(value), value, fallback)
        return fallback if isinstance(value, Known) and isinstance(value.value, Undefined) else value
    if isinstance(value, Cell):
        value = content_of(state, value)
    if value == MISSING and name not in {"length", "count", "list", "selectattr", "rejectattr"}:
        return MISSING  # it fails where it runs
    found = _FILTERS.get({"count": "length", "trim": "strip"}.get(name, name))
    if found is None:
        raise cannot(f"the filter {name}")
    return found(state, value, arguments, named)


METHODS = frozenset(
    {
        "strip",
        "lstrip",
        "rstrip",
        "upper",
        "lower",
        "title",
        "capitalize",
        "startswith",
        "endswith",
        "replace",
        "items",
        "keys",
        "values",
        "format",
    }
)


def _got(state: State, owner: Value, key: Value, otherwise: list[Value]) -> Value:
    found = state.member(state, owner, key)
    fallback = otherwise[0] if otherwise else Known(None)
    return state.each(found, lambda value: fallback if value == MISSING else value)


def part(state: State, owner: Thing, place: int) -> Value:
    """Return a part of a text that was split."""
    if owner.reversed and place:
        return around(state, owner.tests[0], owner.expression, after=True)
    return parts(state, owner.tests[0], owner.expression, which=place)


def _length(state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
    match value:
        case Items(values) if not value.guards and not any(isinstance(item, (Each, Rest)) for item in values):
            return Known(len(values))
        case Items():
            return counted(state, value)
        case Known(None):
            return Known(0)
        case Fields(values):
            return Known(len(values))
        case Known(str() as known):
            return Known(len(known))
        case Known(known) if isinstance(known, Undefined):
            return Known(0)
        case Thing("parts", separator, tests=(owner,)):
            return occurrences(state, owner, separator)
        case Thing():
            return counted(state, value)
        case Go(expression, "json"):
            return Go(f"len {operand(expression)}", "int")
        case _ if is_text(value):
            return Go(applied("len", state.text(value)), "int")
        case _:
            raise cannot("the length of this")


def _string(state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
    if is_text(value):
        return value
    return text_value(text_of(state, value))


def _integer(_state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
    if isinstance(value, Known) and isinstance(value.value, (int, float)):
        return Known(int(value.value))
    raise cannot("a number of this")


def _format(state: State, value: Value, arguments: list[Value], _named: dict[str, Value]) -> Value:
    if not isinstance(value, Known) or not isinstance(value.value, str):
        raise cannot("formatting this")
    found: list[Any] = []
    for place, text in enumerate(value.value.split("{}")):
        found += [*(text_of(state, arguments[place - 1]) if place else ()), Lit(text)]
    return text_value(tuple(found))


def _sort(state: State, value: Value, _arguments: list[Value], named: dict[str, Value]) -> Value:
    attribute = named.get("attribute")
    if isinstance(value, Items):
        found = [state.member(state, item, attribute) if attribute else item for item in value.values]
        keys = [key.value for key in found if isinstance(key, Known)]
        if len(keys) == len(found):
            order = sorted(range(len(keys)), key=lambda place: keys[place])
            return Items(
                tuple(value.values[place] for place in order),
                tuple(value.guard(place) for place in order) if value.guards else (),
            )
    raise cannot("sorting this")


def _same(_state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
    return value


def _at(place: int) -> Callable[..., Value]:
    def apply(state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
        if isinstance(value, Items) and not value.guards:
            return value.values[place] if value.values else MISSING
        if isinstance(value, Thing) and value.kind == "parts":
            return part(state, value, place)
        if isinstance(value, Thing) and value.kind in LISTS:
            return element(state, value, Known(place))
        raise cannot("the first or the last of this")

    return apply


def _select(*, wanted: bool) -> Callable[..., Value]:
    def apply(state: State, value: Value, arguments: list[Value], _named: dict[str, Value]) -> Value:
        attribute, *rest = arguments
        name = rest[0].value if rest and isinstance(rest[0], Known) else ""
        others = rest[1:]

        def test(inner: State, item: Value) -> Truth:
            subject = inner.each(item, lambda one: inner.member(inner, one, attribute))
            if not name:
                found = inner.truth(subject)
            else:
                found = inner.truth(inner.each(subject, lambda one: boolean(inner.tested(inner, name, one, others))))
            return found if wanted else truth(boolean(negated(found)))

        if value == MISSING or value == Known(None):
            return Items(())
        if isinstance(value, Items):
            guards = tuple(both(value.guard(place), test(state, item)) for place, item in enumerate(value.values))
            if all(isinstance(guard, bool) for guard in guards):
                return Items(tuple(item for item, kept in zip(value.values, guards, strict=True) if kept))
            return Items(value.values, guards)
        if isinstance(value, Thing) and value.kind in LISTS:
            return selected(value, test)
        raise cannot("choosing from this")

    return apply


_FUNCTIONS_OF = {"tools": "tool functions", "calls": "call functions"}


def _map(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    attribute = named.get("attribute")
    if attribute is None and isinstance(value, Items) and arguments and isinstance(arguments[0], Known):
        name = arguments[0].value
        return Items(
            tuple(state.each(item, lambda one: filtered(state, name, one, arguments[1:], {})) for item in value.values),
            value.guards,
        )
    if attribute is None or not isinstance(attribute, Known):
        raise cannot("this use of map")
    if isinstance(value, Items):
        return Items(
            tuple(state.each(item, lambda one: state.member(state, one, attribute)) for item in value.values),
            value.guards,
        )
    if isinstance(value, Thing) and value.kind in _FUNCTIONS_OF and attribute.value == "function":
        return Thing(_FUNCTIONS_OF[value.kind], value.expression, value.first, value.reversed, value.tests)
    raise cannot("this use of map")


def _join(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    between = arguments[0] if arguments else named.get("d", Known(""))
    text = known_text(printed(between)) or ""
    if isinstance(value, Thing) and value.kind in {"parts but the first", "parts but the last"}:
        if value.expression != text:
            raise cannot("joining parts with something else than stood between them")
        return around(state, value.tests[0], text, after=value.kind == "parts but the first")
    if isinstance(value, Items):
        found: list[Any] = []
        if value.guards or any(isinstance(item, Each) for item in value.values):
            return _joined_with(state, value, text)
        for place, item in enumerate(value.values):
            found += [Lit(text)] if place else []
            found += text_of(state, item)
        return text_value(tuple(found))
    if isinstance(value, Thing) and value.kind in {"texts", "kinds", "values"}:
        shown = text_of(state, Go("$each", "json" if value.kind == "values" else "text"))
        body = (Cond("$at", (Lit(text),)), *shown) if text else shown
        return Built((Loop(f"$at, $each := {value.expression}", "$each", body),))
    raise cannot("joining this")


def _joined_with(state: State, items: Items, text: str) -> Value:
    """Join items that may be missing, or that loops add."""
    between = state.fresh("between")

    def one(value: Value) -> Code:
        return (Out(between), *text_of(state, value), Do(f"{between} = {quoted(text)}"))

    return Built((Do(f'{between} = ""'), *over_items(items, one)))


_FILTERS: dict[str, Callable[..., Value]] = {
    "strip": strip(left=True, right=True),
    "lstrip": strip(left=True, right=False),
    "rstrip": strip(left=False, right=True),
    "upper": case(str.upper),
    "lower": case(str.lower),
    "title": case(str.title),
    "capitalize": case(str.capitalize),
    "startswith": ended(begins, str.startswith),
    "endswith": ended(ends, str.endswith),
    "replace": replace_text,
    "length": _length,
    "string": _string,
    "safe": _string,
    "list": _same,
    "first": _at(0),
    "last": _at(-1),
    "items": items_of,
    "dictsort": sorted_items,
    "keys": keys_of,
    "values": items_of,
    "selectattr": _select(wanted=True),
    "rejectattr": _select(wanted=False),
    "map": _map,
    "join": _join,
    "int": _integer,
    "format": _format,
    "sort": _sort,
}
