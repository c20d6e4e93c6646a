"""The calls that nearly every template makes, as closures that settle the usual case at once.

Each looks at the kinds of its arguments, and leaves what is not usual, errors included, to the function in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.nodes import Field, Identifier, Number, Parenthesized, String, Variable
from modelsmith.template.go.values.values import Interface, Slice, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import Operand
    from modelsmith.template.go.evaluate.parts import Run
    from modelsmith.template.go.state import State

    Full = Callable[[State, list[Any]], Any]


def shortcut(name: str, arguments: tuple[Operand, ...], runs: tuple[Run, ...], full: Full) -> Run | None:
    """Return the closure of a call that is often made, None if it is another; ``full`` takes the arguments' values."""
    if name in ("eq", "ne") and len(runs) == 2:
        if isinstance(arguments[1], String):
            return _equals_text(runs[0], arguments[1].value, full, equal=name == "eq")
        return _equals(runs[0], runs[1], full, equal=name == "eq")
    if name == "slice" and len(runs) == 2:
        return _slice_from(runs[0], runs[1], full)
    if name == "slice" and len(runs) == 3:
        return _slice_between(runs[0], runs[1], runs[2], full)
    if len(runs) == 1 and name in ("len", "not"):
        return _length(runs[0], full) if name == "len" else _not(runs[0])
    return None


def _equals_text(left: Run, text: str, full: Full, *, equal: bool) -> Run:
    def run(state: State, dot: Any) -> Any:
        value = left(state, dot)
        plain = value.value if type(value) is Interface else value
        if type(plain) is str:
            return (plain == text) is equal
        return full(state, [value, text])

    return run


def _equals(left: Run, right: Run, full: Full, *, equal: bool) -> Run:
    def run(state: State, dot: Any) -> Any:
        one, other = left(state, dot), right(state, dot)
        plain = one.value if type(one) is Interface else one
        kind = type(plain)
        if (kind is str or kind is int) and type(other) is kind:
            return (plain == other) is equal
        return full(state, [one, other])

    return run


def _not(value: Run) -> Run:
    return lambda state, dot: not truth(value(state, dot))


def _slice_from(whole: Run, start: Run, full: Full) -> Run:
    def run(state: State, dot: Any) -> Any:
        value, first = whole(state, dot), start(state, dot)
        items = value.value if type(value) is Interface else value
        if type(items) is Slice and type(first) is int and 0 <= first <= items.stop - items.start:
            return items.behind(first)
        return full(state, [value, first])

    return run


def _slice_between(whole: Run, start: Run, stop: Run, full: Full) -> Run:
    def run(state: State, dot: Any) -> Any:
        value, first, last = whole(state, dot), start(state, dot), stop(state, dot)
        is_plain = type(value) is str and type(first) is int and type(last) is int and value.isascii()
        if is_plain and 0 <= first <= last <= len(value):
            return state.made(value[first:last])
        return full(state, [value, first, last])

    return run


def _length(value: Run, full: Full) -> Run:
    def run(state: State, dot: Any) -> Any:
        found = value(state, dot)
        plain = found.value if type(found) is Interface else found
        if type(plain) is Slice:
            return plain.stop - plain.start
        if type(plain) is str and plain.isascii():
            return len(plain)
        return full(state, [found])

    return run


def sliced(name: str, arguments: tuple[Operand, ...]) -> tuple[Operand, ...]:
    """Return ``x`` and ``i`` of a call ``len (slice x i)`` of plain fields or variables, nothing for any other call."""
    if name == "len" and len(arguments) == 1 and isinstance(arguments[0], Parenthesized):
        pipeline = arguments[0].pipeline
        called, *operands = pipeline.commands[0].operands
        is_slice = isinstance(called, Identifier) and called.name == "slice" and len(operands) == 2
        if is_slice and len(pipeline.commands) == 1 and not pipeline.declared:
            # they are compiled once more, so what may hold any number of others must not be among them
            return tuple(operand for operand in operands if isinstance(operand, Field | Variable | Number))
    return ()


def length_of_slice(whole: Run, start: Run, otherwise: Run) -> Run:
    """Return the closure of ``len (slice x i)``: how templates find the last message, once a message."""

    def run(state: State, dot: Any) -> Any:
        value, first = whole(state, dot), start(state, dot)
        items = value.value if type(value) is Interface else value
        if type(items) is Slice and type(first) is int:
            length = items.stop - items.start
            if 0 <= first <= length:
                return length - first
        return otherwise(state, dot)

    return run
