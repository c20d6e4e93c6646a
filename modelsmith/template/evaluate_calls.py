"""Calls of functions, as closures. Source of the rules: Go, ``text/template/exec.go`` (evalCall, evalArg, validateType)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate_literals import normal
from modelsmith.syntax.gotemplate_nodes import Bool, Dot, Nil, Number, String
from modelsmith.syntax.gotemplate_print import go_text
from modelsmith.template.evaluate_operands import operand
from modelsmith.template.evaluate_parts import Part, Stage, at, constant, fail
from modelsmith.template.evaluate_shortcuts import length_of_slice, shortcut, sliced
from modelsmith.template.evaluate_state import CallError
from modelsmith.template.values import NIL, NO_VALUE, Interface, kept, truth, type_of, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate_nodes import Identifier, Node, Operand
    from modelsmith.template.evaluate_parts import Run, Scope
    from modelsmith.template.evaluate_state import Site, State
    from modelsmith.template.functions import Builtin, Kind
    from modelsmith.template.values import Keep


def call(scope: Scope, name: Identifier, node: Node, arguments: tuple[Operand, ...], *, keep: Keep) -> Part:
    """Compile a call; ``node`` is what Go shows when the function reports an error."""
    site = scope.site(name)
    function = scope.functions.get(name.name)
    if function is None:
        return Part(fail(site, f'"{name.name}" is not a defined function'), site)
    wrong = _wrong_number(name.name, function, len(arguments), len(arguments))
    if wrong:
        return Part(fail(site, wrong), site)
    if name.name in ("and", "or"):
        return _and_or(scope, arguments, stop=name.name == "or", keep=keep)
    parts = [_argument(scope, argument, _kind(function, at_)) for at_, argument in enumerate(arguments)]
    runs = tuple(part.run for part in parts)
    last = parts[-1].site if parts else site
    if name.name == "call":
        runs = (lambda _state, _dot: go_text(arguments[0]), *runs)
    full = _calling(function, name.name, scope.site(node))
    run = shortcut(name.name, arguments, runs, full) or _evaluating(runs, full)
    of_slice = sliced(name.name, arguments)
    if len(of_slice) == 2:
        whole, start = (_argument(scope, argument, "value").run for argument in of_slice)
        run = length_of_slice(whole, start, run)
    return Part(run if keep != "none" or name.name != "index" else _plain(run), last)


def call_with_final(scope: Scope, name: Identifier, node: Node, arguments: tuple[Operand, ...]) -> Stage:
    """Compile a call that has the value of the command before as its last argument."""
    site = scope.site(name)
    function = scope.functions.get(name.name)
    wrong = _wrong_number(name.name, function, len(arguments), len(arguments) + 1) if function else ""
    if function is None or wrong:
        refuse = fail(site, wrong or f'"{name.name}" is not a defined function')
        return Stage(lambda state, dot, _final: refuse(state, dot), site)
    if name.name in ("and", "or"):
        return _and_or_final(scope, site, arguments, stop=name.name == "or")
    parts = [_argument(scope, argument, _kind(function, at_)) for at_, argument in enumerate(arguments)]
    last = parts[-1].site if parts else site
    accept = _accepting(_kind(function, len(arguments)), at(last))
    runs = tuple(part.run for part in parts)
    full, is_call = _calling(function, name.name, scope.site(node)), name.name == "call"

    def run(state: State, dot: Any, final: Any) -> Any:
        values = [argument(state, dot) for argument in runs]
        values.append(accept(state, final))
        if is_call:
            values.insert(0, go_text(arguments[0]) if arguments else _reflected(final))
        return unwrap(full(state, values))

    return Stage(run, last)


def _wrong_number(name: str, function: Builtin, written: int, given: int) -> str:
    wanted = len(function.fixed)
    if function.rest is None and given != wanted:
        return f"wrong number of args for {name}: want {wanted} got {given}"
    if given < wanted:
        return f"wrong number of args for {name}: want at least {wanted} got {written}"
    return ""


def _kind(function: Builtin, number: int) -> Kind:
    return function.fixed[number] if number < len(function.fixed) else function.rest or "any"


def _calling(function: Builtin, name: str, site: Site) -> Callable[[State, list[Any]], Any]:
    """Return how the function is called with values."""
    call_function = function.call

    def full(state: State, values: list[Any]) -> Any:
        try:
            result = call_function(state, values)
        except CallError as wrong:
            raise site.error(f"error calling {name}: {wrong}") from None
        if type(result) is str:
            return state.made(result if result.isascii() else normal(result))
        return result

    return full


def _evaluating(runs: tuple[Run, ...], full: Callable[[State, list[Any]], Any]) -> Run:
    if len(runs) == 1:
        (only,) = runs
        return lambda state, dot: full(state, [only(state, dot)])
    return lambda state, dot: full(state, [argument(state, dot) for argument in runs])


def _plain(value: Run) -> Run:
    return lambda state, dot: unwrap(value(state, dot))


def _reflected(value: Any) -> str:
    """Return what Go calls a piped value that it has no node for."""
    if type(value) is str:
        return value
    return f"<{'invalid' if value is NO_VALUE else type_of(value).name} Value>"


# --- arguments -------------------------------------------------------------------------------------------------------


def _argument(scope: Scope, node: Operand, kind: Kind) -> Part:
    site = scope.site(node)
    if isinstance(node, Nil):
        if kind == "string":
            return Part(fail(site, "cannot assign nil to string"), site)
        return Part(constant(NO_VALUE if kind in ("value", "inner") else NIL), site)
    if kind == "string" and isinstance(node, String | Number | Bool):
        if isinstance(node, String):
            return Part(constant(node.value), site)
        return Part(fail(site, f"expected string; found {go_text(node)}"), site)
    run, last = operand(scope, node, keep="none" if kind == "any" else "all" if kind == "value" else "nil")
    if kind in ("value", "inner") or isinstance(node, String | Number | Bool):
        return Part(run, last)
    if kind == "any":

        def run_any(state: State, dot: Any) -> Any:
            value = run(state, dot)
            return NIL if value is NO_VALUE else value

        return Part(run_any, last)
    accept = _accepting(kind, at(last if not isinstance(node, Dot) else site))
    return Part(lambda state, dot: accept(state, run(state, dot)), last)


def _accepting(kind: Kind, where: Callable[[State], Site]) -> Callable[[State, Any], Any]:
    """Return how a value becomes an argument of this kind."""
    if kind in ("value", "inner"):
        return lambda _state, value: value
    if kind == "any":
        return lambda _state, value: NIL if value is NO_VALUE else value

    def accept_string(state: State, value: Any) -> Any:
        plain = value.value if type(value) is Interface else value
        if type(plain) is str:
            return plain
        if value is NO_VALUE:
            raise where(state).error("invalid value; expected string")
        raise where(state).error(f"wrong type for value; expected string; got {type_of(plain).name}")

    return accept_string


# --- and, or ---------------------------------------------------------------------------------------------------------


def _and_or(scope: Scope, arguments: tuple[Operand, ...], *, stop: bool, keep: Keep) -> Part:
    parts = tuple(_argument(scope, argument, "value") for argument in arguments)
    finish = kept(keep)

    def run(state: State, dot: Any) -> Any:
        value: Any = NO_VALUE
        for argument, last in parts:
            value = argument(state, dot)
            if last is not None:
                state.last = last
            if (value if type(value) is bool else truth(value)) is stop:
                break
        return value if type(value) is bool else finish(value)

    return Part(run, None if len(parts) > 1 else parts[0].site)


def _and_or_final(scope: Scope, site: Site, arguments: tuple[Operand, ...], *, stop: bool) -> Stage:
    parts = tuple(_argument(scope, argument, "value") for argument in arguments)

    def run(state: State, dot: Any, final: Any) -> Any:
        for argument, last in parts:
            value = argument(state, dot)
            if last is not None:
                state.last = last
            if truth(value) is stop:
                return unwrap(value)
        return final

    return Stage(run, None if parts else site)
