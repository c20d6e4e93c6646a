"""Comparisons and tests of values that are not known yet, as conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    Cond,
    Do,
    Loop,
    Truth,
    applied,
    both,
    either,
    field,
    filled,
    negated,
    operand,
    quoted,
)
from modelsmith.template.convert.translate.operations.cells import content_of
from modelsmith.template.convert.translate.operations.lists import holds_for_any
from modelsmith.template.convert.translate.operations.texts import contains, contains_text, is_among
from modelsmith.template.convert.translate.values.members import MEMBERS
from modelsmith.template.convert.translate.values.values import (
    LISTS,
    MAPS,
    TEXTS,
    Built,
    Cell,
    Each,
    Fields,
    Go,
    Items,
    Known,
    Rest,
    Seen,
    Thing,
    Value,
    boolean,
    cannot,
    is_number,
    is_text,
    number,
)
from modelsmith.template.jinja.engine.values.model import Undefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.state import State


def equal(state: State, left: Value, right: Value) -> Truth:
    """Return the condition under which two values are equal."""
    if isinstance(left, Known) and isinstance(right, Known):
        if isinstance(left.value, Undefined) or isinstance(right.value, Undefined):
            return isinstance(left.value, Undefined) and isinstance(right.value, Undefined)
        return bool(left.value == right.value and isinstance(left.value, bool) == isinstance(right.value, bool))
    if isinstance(left, Known):
        left, right = right, left
    if isinstance(right, Known):
        return _equals_known(state, left, right.value)
    if is_number(left) and is_number(right):
        return _compared("eq", left, right)
    if is_text(left) and is_text(right):
        return applied("eq", state.text(left), state.text(right))
    if isinstance(left, Items) and isinstance(right, Items) and (not left.values or not right.values):
        return not left.values and not right.values
    if isinstance(left, Go) and isinstance(right, Go) and "json" in {left.kind, right.kind}:
        return applied("eq", f"print {operand(left.expression)}", f"print {operand(right.expression)}")
    if isinstance(left, Thing) and isinstance(right, Thing) and left.kind == right.kind == "message":
        return _same_message(left, right)
    if isinstance(right, Items) and not right.values:
        return negated(state.truth(left)) if isinstance(left, Thing) else False
    raise cannot("this comparison")


def _same_message(left: Thing, right: Thing) -> Truth:
    """Compare messages by what they say; two that make calls are not taken for equal."""
    found: Truth = True
    for name in ("Role", "Content", "Thinking", "ToolName"):
        found = both(found, applied("eq", field(left.expression, name), field(right.expression, name)))
    calls = either(field(left.expression, "ToolCalls"), field(right.expression, "ToolCalls"))
    return both(found, negated(calls))


def _equals_known(state: State, left: Value, known: object) -> Truth:
    match left:
        case Go(expression, "json"):
            kind = f'printf "%T" {operand(expression)}'
            if known is None:
                return f'eq ({kind}) "<nil>"'
            if isinstance(known, bool):
                return both(f'eq ({kind}) "bool"', expression if known else negated(expression))
            if isinstance(known, str):
                return f'eq (printf "%v" {operand(expression)}) {quoted(known)}'
            raise cannot("this comparison")
        case Go(expression, "bool"):
            if isinstance(known, bool):
                return expression if known else negated(expression)
            return False
        case Go(_, "int"):
            return _compared("eq", left, Known(known)) if is_number(Known(known)) else False
        case Go(expression):
            if not isinstance(known, str):
                return False
            return applied("eq", expression, quoted(known)) if known else negated(expression)
        case Built():
            if not isinstance(known, str):
                return False
            return applied("eq", state.text(left), quoted(known)) if known else negated(state.truth(left))
        case _:
            return False


def ordered(operator: str, left: Value, right: Value) -> Value:
    """Return whether a number is smaller or larger than another."""
    if isinstance(left, Known) and isinstance(right, Known) and is_number(left) and is_number(right):
        known = {
            "<": left.value < right.value,
            ">": left.value > right.value,
            "<=": left.value <= right.value,
            ">=": left.value >= right.value,
        }
        return Known(known[operator])
    if not is_number(left) or not is_number(right):
        raise cannot("an order of these")
    return boolean(_compared({"<": "lt", ">": "gt", "<=": "le", ">=": "ge"}[operator], left, right))


_SOMETHING = frozenset({("gt", 0), ("ge", 1)})
_NOTHING = frozenset({("eq", 0), ("le", 0), ("lt", 1)})


def _compared(function: str, left: Value, right: Value) -> Truth:
    """Compare whole numbers; what is added to one of them stands on the other side where it is taken away."""
    one, other = (Go("0", "int", value.value) if isinstance(value, Known) else value for value in (left, right))
    if not isinstance(one, Go) or not isinstance(other, Go):
        raise cannot("a number that is not known")
    if one.expression == "0" and other.expression == "0":
        return bool(one.offset == other.offset)
    if other.expression == "0" and one.offset == 0:
        if other.offset < 0:
            return function in {"gt", "ge"}
        something = filled(one.expression)
        if something and (function, other.offset) in _SOMETHING:
            return something
        if something and (function, other.offset) in _NOTHING:
            return negated(something)
        return applied(function, one.expression, str(other.offset))
    if other.expression == "0":
        rest = other.offset - one.offset
        if rest < 0:
            return function in {"gt", "ge", "ne"}
        return applied(function, one.expression, str(rest))
    if one.expression == "0":
        rest = one.offset - other.offset
        if rest < 0:
            return function in {"lt", "le", "ne"}
        return applied(function, str(rest), other.expression)
    shift = one.offset - other.offset
    return applied(
        function,
        number(Go(one.expression, "int", max(shift, 0))),
        number(Go(other.expression, "int", max(-shift, 0))),
    )


def is_in(state: State, item: Value, owner: Value) -> Truth:
    """Return the condition under which a value is in another."""
    match owner:
        case Seen() if is_text(item):
            return is_among(state, item, owner)
        case Items(values) if any(isinstance(value, (Each, Rest)) for value in values):
            return holds_for_any(state, owner, lambda value: equal(state, item, value))
        case Items(values):
            found: Truth = False
            for place, value in enumerate(values):
                found = either(found, both(owner.guard(place), equal(state, item, value)))
            return found
        case Fields(values):
            if isinstance(item, Known):
                return item.value in values
            found = False
            for key in values:
                found = either(found, equal(state, item, Known(key)))
            return found
        case Cell():
            return is_in(state, item, content_of(state, owner))
        case Go(expression, "json") if isinstance(item, Known) and isinstance(item.value, str):
            return _is_in_json(state, item.value, expression)
        case Thing(kind) if kind in MEMBERS and isinstance(item, Known) and isinstance(item.value, str):
            member = MEMBERS[kind].get(item.value)
            if kind == "message" and item.value == "thinking" and state.shape.thinking:
                member = MEMBERS[kind]["reasoning_content"]
            if member is None:
                return False
            return field(owner.expression, member.present) if member.present else True
        case Thing(kind) if kind in {"texts", "kinds"} and is_text(item):
            name = state.fresh("found")
            text = state.text(item)
            body = (Cond(applied("eq", "$each", text), (Do(f"{name} = true"),)),)
            state.emit(Do(f"{name} = false"), Loop(f"$each := {owner.expression}", "", body))
            return name
        case Thing(kind) if kind in MAPS and is_text(item):
            name = state.fresh("found")
            body = (Cond(applied("eq", "$key", state.text(item)), (Do(f"{name} = true"),)),)
            state.emit(Do(f"{name} = false"), Loop(f"$key, $each := {owner.expression}", "", body))
            return name
        case Known(known) if isinstance(known, Undefined) or known is None:
            return False
        case Known(str() as known) if isinstance(item, Known) and isinstance(item.value, str):
            return item.value in known
        case _ if is_text(owner) and isinstance(item, Known) and isinstance(item.value, str):
            return contains(state, owner, item.value)
        case _ if is_text(owner) and is_text(item):
            return contains_text(state, owner, item)
        case _:
            raise cannot("what is in this")


def _is_in_json(state: State, text: str, expression: str) -> Truth:
    """Return the condition under which a text is in a value of any kind: a key of an object, an item of a list, a part of a text."""
    name = state.fresh("found")
    found = (Do(f"{name} = true"),)
    is_kind = f'eq (printf "%T" {operand(expression)})'
    keys = Loop(f"$key, $_ := {expression}", "", (Cond(f"eq $key {quoted(text)}", found),))
    is_text_too = f'and (eq (printf "%T" $each) "string") (eq $each {quoted(text)})'
    items = Loop(f"$_, $each := {expression}", "", (Cond(is_text_too, found),))
    with state.writing() as part:
        holds = contains(state, Go(expression, "text"), text)
        state.emit(*((Cond(holds, found),) if isinstance(holds, str) else found))
    with state.writing() as refused:
        state.fail('"in" of what holds nothing is refused')
    of_text = Cond(f"{is_kind} {_JSON_TYPES['text']}", tuple(part), tuple(refused))
    of_list = Cond(f"{is_kind} {_JSON_TYPES['list']}", (items,), (of_text,))
    state.emit(Do(f"{name} = false"), Cond(f"{is_kind} {_JSON_TYPES['object']}", (keys,), (of_list,)))
    return name


_TYPES = {
    "string": {"text"},
    "mapping": {"object"},
    "sequence": {"text", "list", "missing"},
    "iterable": {"text", "list", "missing"},
    "number": {"int", "float"},
    "integer": {"int"},
    "float": {"float"},
    "boolean": {"bool"},
    "none": {"none"},
    "undefined": {"missing"},
}


_JSON_TYPES = {
    "text": '"string"',
    "object": '"map[string]interface {}"',
    "list": '"[]interface {}"',
    "float": '"float64"',
    "bool": '"bool"',
    "none": '"<nil>"',
}


def tested(state: State, name: str, value: Value, arguments: list[Value]) -> Truth:
    """Return the condition under which a test holds."""
    if name == "defined":
        return not (isinstance(value, Known) and isinstance(value.value, Undefined))
    if name in _TYPES:
        if isinstance(value, Go) and value.kind == "json":
            kinds = " ".join(text for kind, text in _JSON_TYPES.items() if kind in _TYPES[name])
            return f'eq (printf "%T" {operand(value.expression)}) {kinds}' if kinds else False
        return _type(value) in _TYPES[name]
    if name in {"true", "false"}:
        if isinstance(value, Known):
            return value.value is (name == "true")
        if isinstance(value, Go) and value.kind in {"bool", "json"}:
            return _equals_known(state, value, name == "true")
        return False
    if name in {"equalto", "eq", "==", "ne", "in"} and arguments:
        compare: Callable[[State, Value, Value], Truth] = is_in if name == "in" else equal
        found = state.truth(state.each(arguments[0], lambda other: boolean(compare(state, value, other))))
        return negated(found) if name == "ne" else found
    if name in {"odd", "even"} and isinstance(value, Known) and isinstance(value.value, int):
        return (value.value % 2 == 1) == (name == "odd")
    raise cannot(f"the test {name}")


def _type(value: Value) -> str:
    match value:
        case Known(known):
            return {str: "text", bool: "bool", int: "int", float: "float", type(None): "none"}.get(
                type(known), "missing"
            )
        case Go(_, kind):
            return "text" if kind in TEXTS else kind
        case Built():
            return "text"
        case Items():
            return "list"
        case Cell(_, is_list):
            return "list" if is_list else "object"
        case Thing(kind):
            return "list" if kind in LISTS or kind == "properties list" else "object"
        case Fields():
            return "object"
        case _:
            return ""
