"""The functions that a template can call, by name. Source: Go, ``text/template/funcs.go``; Ollama, ``template/template.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from modelsmith.records import dataclass
from modelsmith.template.go.functions import printf
from modelsmith.template.go.functions.compare import eq, ge, gt, le, lt, ne
from modelsmith.template.go.functions.escape import html, js, urlquery
from modelsmith.template.go.functions.index import index, length, slice_
from modelsmith.template.go.functions.ollama import current_date, json, to_typescript_type, yesterday_date
from modelsmith.template.go.state import CallError
from modelsmith.template.go.values.values import NO_VALUE, Function, truth, type_of, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.template.go.state import State

ArgumentKind = Literal["value", "inner", "any", "string"]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function and the Go types of its parameters: of those that it always has, and of those that may follow.

    "value" takes what is known as "any" as such, "inner" what is in it; "any" takes the thing itself, nil for nothing;
    "string" takes strings.
    """

    call: Callable[[State, list[Any]], Any]
    fixed: tuple[ArgumentKind, ...]
    rest: ArgumentKind | None = None


def _print(state: State, values: list[Any]) -> str:
    return printf.sprint(values, state.room)


def _println(state: State, values: list[Any]) -> str:
    return printf.sprintln(values, state.room)


def _printf(state: State, values: list[Any]) -> str:
    return printf.sprintf(values[0], values[1:], state.room)


def _not(_state: State, values: list[Any]) -> bool:
    return not truth(values[0])


def _call(_state: State, values: list[Any]) -> Any:
    """Call a function value; ``values`` begins with the text of what is called. No data of Ollama holds one that works."""
    name, called = values[0], unwrap(values[1])
    if called is NO_VALUE:
        raise CallError("call of nil")
    if not isinstance(called, Function):
        raise CallError(f"non-function {name} of type {type_of(called).name}")
    raise CallError(f"function {name} has 0 return values; should be 1 or 2")


def _never(_state: State, _values: list[Any]) -> Any:
    raise AssertionError("and, or: evaluated where their arguments are")


BUILTINS: Mapping[str, Builtin] = {
    "and": Builtin(_never, ("value",), "value"),
    "or": Builtin(_never, ("value",), "value"),
    "not": Builtin(_not, ("inner",)),
    "len": Builtin(length, ("inner",)),
    "index": Builtin(index, ("inner",), "inner"),
    "slice": Builtin(slice_, ("inner",), "value"),
    "call": Builtin(_call, ("inner",), "inner"),
    "print": Builtin(_print, (), "any"),
    "println": Builtin(_println, (), "any"),
    "printf": Builtin(_printf, ("string",), "any"),
    "html": Builtin(html, (), "any"),
    "js": Builtin(js, (), "any"),
    "urlquery": Builtin(urlquery, (), "any"),
    "eq": Builtin(eq, ("inner",), "inner"),
    "ne": Builtin(ne, ("inner", "inner")),
    "lt": Builtin(lt, ("inner", "inner")),
    "le": Builtin(le, ("inner", "inner")),
    "gt": Builtin(gt, ("inner", "inner")),
    "ge": Builtin(ge, ("inner", "inner")),
}
OLLAMA: Mapping[str, Builtin] = {
    "json": Builtin(json, ("any",)),
    "currentDate": Builtin(current_date, (), "string"),
    "yesterdayDate": Builtin(yesterday_date, (), "string"),
    "toTypeScriptType": Builtin(to_typescript_type, ("any",)),
}
