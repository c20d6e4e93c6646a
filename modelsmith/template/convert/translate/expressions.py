"""Evaluate the expressions of a Jinja template before it runs.

Source: llama.cpp common/jinja/runtime.cpp (what each operator does to each kind of value).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.translate.code.go_code import (
    Truth,
    negated,
    operand,
)
from modelsmith.template.convert.translate.operations.compare import equal, is_in, ordered, tested
from modelsmith.template.convert.translate.operations.filters import filtered
from modelsmith.template.convert.translate.operations.functions import call_method, call_named
from modelsmith.template.convert.translate.operations.json_text import text_of
from modelsmith.template.convert.translate.operations.lists import sliced
from modelsmith.template.convert.translate.operations.lookup import member
from modelsmith.template.convert.translate.values.remembering import remembered, taken_first
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Broken,
    Built,
    Cell,
    Fields,
    Function,
    Go,
    Items,
    Known,
    NeedsVariable,
    Refused,
    Seen,
    Unset,
    Value,
    boolean,
    cannot,
    is_number,
    is_text,
    number,
    pick,
)
from modelsmith.template.convert.translate.values.variables import variable_of
from modelsmith.template.jinja.engine.functions.builtins import FUNCTIONS
from modelsmith.template.jinja.engine.tree import nodes
from modelsmith.template.jinja.engine.values.texts import from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.variables import Key


def value_of(state: State, node: nodes.Node) -> Value:
    """Return what an expression is."""
    made = _KINDS.get(type(node))
    if made is None:
        raise cannot(f"a {node.name}")
    try:
        return state.simple(made(state, node))
    except ConversionError as error:
        if "(line " in error.message:
            raise
        line = state.source[: node.start].count("\n") + 1
        raise type(error)(f"{error.message} (line {line})", hint=error.hint) from None


def _name(state: State, node: nodes.Name) -> Value:
    bound = node.text in state.bound
    if bound or node.text in state.names:
        found = state.slot(state.bound[node.text]) if bound else state.names[node.text]
        if isinstance(found, Unset):
            raise NeedsVariable(found.key)
        if isinstance(found, Broken):
            raise ConversionError(found.reason)
        return found
    if node.text in {"true", "True"}:
        return Known(True)
    if node.text in {"false", "False"}:
        return Known(False)
    if node.text in {"none", "None"}:
        return Known(None)
    return Function(node.text) if node.text in FUNCTIONS else MISSING


def _array(state: State, node: nodes.ArrayOf | nodes.TupleOf) -> Value:
    return Items(tuple(value_of(state, item) for item in node.items))


def _object(state: State, node: nodes.ObjectOf) -> Value:
    values: dict[str, Value] = {}
    for key, item in node.items:
        name = value_of(state, key)
        if not isinstance(name, Known):
            raise cannot("an object whose keys are not known")
        values[name.value] = value_of(state, item)
    return Fields(values)


def _binary(state: State, node: nodes.Binary) -> Value:
    left = value_of(state, node.left)
    if node.operator in {"and", "or"}:
        test = state.truth(left)
        wanted: Truth = test if node.operator == "and" else negated(test)
        if wanted is False:
            return left
        right = state.only_if(wanted, lambda: value_of(state, node.right))
        return pick(test, right, left) if node.operator == "and" else pick(test, left, right)
    right = value_of(state, node.right)
    return state.each(left, lambda one: state.each(right, lambda other: _operated(state, node.operator, one, other)))


def _operated(state: State, operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "==":
            return boolean(equal(state, left, right))
        case "!=":
            return boolean(negated(equal(state, left, right)))
        case "in" | "not in":
            if right != MISSING and (left in (MISSING, Known(None)) or right == Known(None)):
                raise Refused(f'"{operator}" with nothing on a side is refused')
            found = is_in(state, left, right)
            return boolean(found if operator == "in" else negated(found))
        case "~":
            return joined_texts(state, left, right)
        case "<" | ">" | "<=" | ">=":
            return ordered(operator, left, right)
        case "+" if is_text(left) or is_text(right):
            return joined_texts(state, left, right)
        case "+" if isinstance(left, Seen) and isinstance(right, Items):
            more = remembered(right, state.text)
            return Seen(left.code + more.code, left.complete and more.complete)
        case "+" if isinstance(left, Items) and isinstance(right, Items):
            return Items(
                left.values + right.values, _guards(left) + _guards(right) if left.guards or right.guards else ()
            )
        case "*" if isinstance(left, Known) and isinstance(right, Known) and isinstance(left.value, str):
            return Known(left.value * right.value)
        case _ if isinstance(left, Known) and isinstance(right, Known):
            return _calculated(operator, left, right)
        case "+" | "-" if is_number(left) and is_number(right):
            return _summed(operator, left, right)
        case _:
            raise cannot(f"{operator} of these")


def _guards(items: Items) -> tuple[Truth, ...]:
    return items.guards or (True,) * len(items.values)


def joined_texts(state: State, left: Value, right: Value) -> Value:
    """Return two values as one text."""
    if isinstance(left, Known) and isinstance(right, Known) and is_text(left) and is_text(right):
        return Known(left.value + right.value)
    return Built(text_of(state, left) + text_of(state, right))


def _calculated(operator: str, left: Known, right: Known) -> Value:
    one, other = left.value, right.value
    if not is_number(left) or not is_number(right):
        raise cannot(f"{operator} of these")
    if operator in {"/", "//", "%"} and not other:
        raise cannot("a division by zero")
    known = {
        "+": lambda: one + other,
        "-": lambda: one - other,
        "*": lambda: one * other,
        "//": lambda: one // other,
        "%": lambda: one % other,
    }.get(operator)
    if known is None:
        raise cannot(f"{operator} of these")
    return Known(known())


def _summed(operator: str, left: Value, right: Value) -> Value:
    sign = 1 if operator == "+" else -1
    if isinstance(left, Go) and isinstance(right, Known):
        return Go(left.expression, "int", left.offset + sign * right.value)
    if isinstance(left, Known) and isinstance(right, Go) and sign > 0:
        return Go(right.expression, "int", right.offset + left.value)
    if isinstance(left, Go) and isinstance(right, Go):
        one, other = operand(number(left)), operand(number(Go(right.expression, "int")))
        if sign > 0:
            return Go(f'len (print (printf "%*s" {one} "") (printf "%*s" {other} ""))', "int", right.offset)
        return Go(f'len (slice (printf "%*s" {one} "") {other})', "int", -right.offset)
    raise cannot("a number that grows so")


def _not(state: State, node: nodes.Not) -> Value:
    return boolean(negated(state.truth(value_of(state, node.operand))))


def _ternary(state: State, node: nodes.Ternary | nodes.Select) -> Value:
    test = state.truth(value_of(state, node.test))
    if isinstance(test, bool):
        otherwise = node.otherwise if isinstance(node, nodes.Ternary) else None
        if test:
            return value_of(state, node.value)
        return value_of(state, otherwise) if otherwise else MISSING
    yes = state.only_if(test, lambda: value_of(state, node.value))
    if isinstance(node, nodes.Select):
        return pick(test, yes, MISSING)
    no = state.only_if(negated(test), lambda: value_of(state, node.otherwise))
    return pick(test, yes, no)


def _member(state: State, node: nodes.Member) -> Value:
    owner = value_of(state, node.object)
    if isinstance(node.property, nodes.Slice):
        bounds = [
            None if bound is None else value_of(state, bound)
            for bound in (node.property.first, node.property.last, node.property.step)
        ]
        return state.each(owner, lambda value: _sliced(state, value, bounds, []))
    if node.computed:
        key = value_of(state, node.property)
    else:
        key = Known(node.property.text if isinstance(node.property, nodes.Name) else "")
    return state.each(owner, lambda value: state.each(key, lambda name: member(state, value, name)))


def _sliced(state: State, owner: Value, bounds: list[Value | None], known: list[Value | None]) -> Value:
    """Return a part of a value, of each that its bounds can be."""
    if not bounds:
        return sliced(state, owner, known)
    bound = bounds[0]
    if bound is None:
        return _sliced(state, owner, bounds[1:], [*known, None])
    return state.each(bound, lambda value: _sliced(state, owner, bounds[1:], [*known, value]))


def _call(state: State, node: nodes.Call) -> Value:
    if (
        isinstance(node.callee, nodes.Member)
        and not node.callee.computed
        and isinstance(node.callee.property, nodes.Name)
    ):
        owner = value_of(state, node.callee.object)
        name = node.callee.property.text
        if name == "append" and len(node.arguments) == 1:
            if not state.append(state, node.callee.object, value_of(state, node.arguments[0])):
                raise cannot("adding to this list")
            return Known(None)
        if name == "pop" and len(node.arguments) == 1 and value_of(state, node.arguments[0]) == Known(0):
            return _first_popped(state, node.callee.object)
        if not (isinstance(owner, Fields) and isinstance(owner.values.get(name), Function)):
            arguments, named = _arguments(state, node.arguments)
            return state.each(owner, lambda value: call_method(state, name, value, arguments, named))
    called = value_of(state, node.callee)
    if not isinstance(called, Function):
        raise cannot("a call of this")
    arguments, named = _arguments(state, node.arguments)
    return call_named(state, called, arguments, named, node)


def _first_popped(state: State, node: nodes.Node) -> Value:
    """Take the first item out of a list of texts that is a member of an object; raises ConversionError for any other."""
    owner = value_of(state, node.object) if isinstance(node, nodes.Member) and not node.computed else MISSING
    name = node.property.text if isinstance(node, nodes.Member) and isinstance(node.property, nodes.Name) else ""
    if not isinstance(owner, Cell) or owner.is_list:
        raise cannot("taking an item out of this list")
    key = ("cell", owner.number, name)
    if key not in state.variables:
        raise NeedsVariable(key)
    kept = state.slot(key)
    if kept == MISSING:
        return MISSING
    return state.each(kept, lambda value: _taken(state, key, value))


def _taken(state: State, key: Key, kept: Value) -> Value:
    if isinstance(kept, Items) and not kept.values:
        raise Refused("an item of a list that has none is refused")
    if not isinstance(kept, Seen) or not kept.complete:
        raise cannot("taking an item out of this list")
    part = state.fresh("part")
    state.emit(*taken_first(variable_of(key), state.fresh("size"), part))
    state.forget(variable_of(key))
    return Go(part, "text")


def _arguments(state: State, given: tuple[nodes.Node, ...]) -> tuple[list[Value], dict[str, Value]]:
    arguments: list[Value] = []
    named: dict[str, Value] = {}
    for node in given:
        if isinstance(node, nodes.Keyword):
            key = node.key.text if isinstance(node.key, nodes.Name) else ""
            named[key] = value_of(state, node.value)
        else:
            arguments.append(value_of(state, node))
    return arguments, named


def _filter(state: State, node: nodes.Filter) -> Value:
    operand_value = value_of(state, node.operand)
    name, arguments, named = filter_call(state, node.filter)
    return state.each(operand_value, lambda value: filtered(state, name, value, arguments, named))


def filter_call(state: State, node: nodes.Node) -> tuple[str, list[Value], dict[str, Value]]:
    """Return the name of a filter and what it is called with."""
    if isinstance(node, nodes.Name):
        return node.text, [], {}
    if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name):
        return (node.callee.text, *_arguments(state, node.arguments))
    raise cannot("this filter")


def _test(state: State, node: nodes.Test) -> Value:
    name = node.test.text if isinstance(node.test, nodes.Name) else ""
    arguments: list[Value] = []
    if isinstance(node.test, nodes.Call) and isinstance(node.test.callee, nodes.Name):
        name = node.test.callee.text
        arguments = _arguments(state, node.test.arguments)[0]
    value = value_of(state, node.operand)
    found = state.each(value, lambda item: boolean(tested(state, name, item, arguments)))
    return boolean(negated(state.truth(found))) if node.negated else found


_KINDS: dict[type[nodes.Node], Callable[..., Value]] = {
    nodes.Name: _name,
    nodes.Integer: lambda _, node: Known(node.value),
    nodes.Float: lambda _, node: Known(node.value),
    nodes.Text: lambda _, node: Known(from_bytes(node.value)),
    nodes.ArrayOf: _array,
    nodes.TupleOf: _array,
    nodes.ObjectOf: _object,
    nodes.Binary: _binary,
    nodes.Not: _not,
    nodes.Ternary: _ternary,
    nodes.Select: _ternary,
    nodes.Member: _member,
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
}
