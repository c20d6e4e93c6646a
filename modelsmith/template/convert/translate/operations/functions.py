"""Functions, filters and methods of Jinja on values that are not known yet.

Source: llama.cpp common/jinja/value.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    operand,
)
from modelsmith.template.convert.translate.operations.cells import content_of, new_cell
from modelsmith.template.convert.translate.operations.dates import date_text
from modelsmith.template.convert.translate.operations.filters import (
    METHODS,
    _got,
    filtered,
    tojson,
)
from modelsmith.template.convert.translate.operations.macros import called_macro
from modelsmith.template.convert.translate.values.values import (
    Cell,
    Fields,
    Function,
    Go,
    Items,
    Known,
    Thing,
    Value,
    cannot,
    is_text,
    number,
)

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.jinja.engine.tree import nodes


def call_named(
    state: State, called: Function, arguments: list[Value], named: dict[str, Value], node: nodes.Call
) -> Value:
    """Call a function or a macro."""
    if called.macro is not None:
        return called_macro(state, called.macro, arguments, named)
    name = called.name
    if name == "namespace":
        return new_cell(state, Fields(named), (node.start,))
    if name == "raise_exception":
        raise cannot("a refusal in the middle of an expression")
    if name == "strftime_now" and arguments and isinstance(arguments[0], Known):
        return date_text(state, arguments[0].value)
    if name == "range":
        return _distributed(state, arguments, [])
    if name == "tojson":
        return tojson(state, arguments[0], arguments[1:], named)
    raise cannot(f"the function {name}")


def _distributed(state: State, arguments: list[Value], known: list[Value]) -> Value:
    """Return a range, for each number that its ends can be."""
    if not arguments:
        return _numbers(known)
    return state.each(arguments[0], lambda value: _distributed(state, arguments[1:], [*known, value]))


def _numbers(arguments: list[Value]) -> Value:
    """Return whole numbers: from one up, or from the last down to 0."""
    known = [argument.value for argument in arguments if isinstance(argument, Known)]
    if len(known) == len(arguments):
        return Items(tuple(Known(index) for index in range(*known)))
    match arguments:
        case [Go(_, "int") as end] | [Known(0), Go(_, "int") as end]:
            return Thing("numbers", number(end))
        case [Known(int() as start), Go(expression, "int", offset)] if start > 0:
            return Thing("numbers", number(Go(expression, "int", offset - start)), tests=(start,))
        case [Go(_, "int") as start, Go(_, "int") as end]:
            rest = f'len (slice (printf "%*s" {operand(number(end))} "") {operand(number(start))})'
            return Thing("numbers", rest, tests=(start,))
        case [Go(expression, "int", offset), Known(-1), Known(-1)]:
            return Thing("numbers", number(Go(expression, "int", offset + 1)), reversed=True)
        case _:
            raise cannot("this range")


def call_method(state: State, name: str, owner: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
    """Call a method of a value."""
    if name == "get" and arguments:
        return state.each(arguments[0], lambda key: _got(state, owner, key, arguments[1:]))
    if isinstance(owner, Cell):
        owner = content_of(state, owner)
    if is_text(owner) and name in {"split", "rsplit"}:
        return _split(owner, arguments)
    if name in METHODS:
        return filtered(state, name, owner, arguments, named)
    raise cannot(f"the method {name}")


def _split(owner: Value, arguments: list[Value]) -> Value:
    """Return a text that is split as an object of the parts that can be had of it."""
    if not arguments or not isinstance(arguments[0], Known) or not isinstance(arguments[0].value, str):
        raise cannot("splitting a text at this")
    if isinstance(owner, Known):
        return Items(tuple(map(Known, owner.value.split(arguments[0].value))))
    once = len(arguments) > 1 and arguments[1] == Known(1)
    if len(arguments) > 1 and not once:
        raise cannot("splitting a text so many times")
    return Thing("parts", arguments[0].value, reversed=once, tests=(owner,))
