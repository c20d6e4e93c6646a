"""Pipelines, commands and their operands, as closures. Source of the rules: Go, ``text/template/exec.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.literals import normal
from modelsmith.syntax.gotemplate.nodes import (
    Bool,
    Chain,
    Dot,
    Field,
    Identifier,
    Nil,
    Number,
    Parenthesized,
    String,
    Variable,
)
from modelsmith.syntax.gotemplate.printed import go_text
from modelsmith.template.go.deep import STEP
from modelsmith.template.go.evaluate.deep import NestedTooDeep, from_inside
from modelsmith.template.go.evaluate.fields import chain_of
from modelsmith.template.go.evaluate.parts import Part, Stage, at, constant, fail
from modelsmith.template.go.evaluate.shortcuts import length_of_slice, shortcut, sliced
from modelsmith.template.go.state import CallError
from modelsmith.template.go.values.values import NIL, NO_VALUE, Interface, kept, truth, type_of, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import Command, Node, Operand, Pipeline
    from modelsmith.template.go.evaluate.parts import Run, RunFinal, Scope
    from modelsmith.template.go.functions.functions import ArgumentKind, Builtin
    from modelsmith.template.go.state import Site, State
    from modelsmith.template.go.values.values import Keep


def expression(scope: Scope, node: Pipeline) -> Part:
    """Compile the pipeline of an action or a control structure, however deep its parentheses are."""
    try:
        return pipeline(scope, node)
    except NestedTooDeep:
        return from_inside(scope, node, pipeline)


def pipeline(scope: Scope, node: Pipeline) -> Part:
    """Compile a pipeline; its closure returns a value that is not known as "any"."""
    first, *others = node.commands
    run, site = command(scope, first, node)
    if others:
        stages = []
        for other in others:
            stage = _stage(scope, other, site)
            site = stage.site
            stages.append(stage.run)
        run = _piped(run, tuple(stages))
    if node.declared:
        names = tuple(variable.names[0] for variable in node.declared)
        run = _assigning(run, names, at(site)) if node.assigns else _declaring(run, names)
    return Part(run, site)


def parenthesized(scope: Scope, node: Parenthesized) -> Part:
    """Compile what is in parentheses; raises NestedTooDeep for those that are too deep to be compiled so."""
    if id(node) in scope.evaluated:
        return scope.evaluated[id(node)]
    if len(scope.depth) == STEP:
        raise NestedTooDeep
    scope.depth.append(None)
    try:
        return pipeline(scope, node.pipeline)
    finally:
        scope.depth.pop()


def _piped(first: Run, stages: tuple[RunFinal, ...]) -> Run:
    def run(state: State, dot: Any) -> Any:
        value = first(state, dot)
        for stage in stages:
            value = stage(state, dot, value)
        return value

    return run


def _declaring(value: Run, names: tuple[str, ...]) -> Run:
    def run(state: State, dot: Any) -> Any:
        found = value(state, dot)
        for name in names:
            state.variables[name] = [found]
        return found

    return run


def _assigning(value: Run, names: tuple[str, ...], where: Callable[[State], Site]) -> Run:
    def run(state: State, dot: Any) -> Any:
        found = value(state, dot)
        for name in names:
            cell = state.variables.get(name)
            if cell is None:
                raise where(state).error(f"undefined variable: {name}")
            cell[0] = found
        return found

    return run


def command(scope: Scope, node: Command, within: Pipeline) -> Part:
    """Compile the first command of a pipeline."""
    first, *arguments = node.operands
    if isinstance(first, Identifier):
        return call(scope, first, node, tuple(arguments), keep="none")
    if isinstance(first, Parenthesized):
        if arguments:
            site = scope.site(within)
            return Part(fail(site, "can't give argument to non-function ", first), site)
        return parenthesized(scope, first)
    if arguments:
        return _with_arguments(scope, first, len(arguments))
    if isinstance(first, Nil):
        site = scope.site(first)
        return Part(fail(site, "nil is not a command"), site)
    return operand(scope, first, keep="none")


def _with_arguments(scope: Scope, first: Operand, arguments: int) -> Part:
    """Compile a value that is given arguments: only a method can take them."""
    if isinstance(first, Field | Chain) or (isinstance(first, Variable) and len(first.names) > 1):
        return operand(scope, first, keep="none", arguments=arguments)
    site = scope.site(first)
    refuse = fail(site, "can't give argument to non-function ", first)
    if not isinstance(first, Variable):
        return Part(refuse, site)
    value = variable(scope, first, keep="none").run

    def run(state: State, dot: Any) -> Any:
        value(state, dot)  # it may not be defined at all
        return refuse(state, dot)

    return Part(run, site)


def _stage(scope: Scope, node: Command, before: Site | None) -> Stage:
    """Compile a command that follows another; ``before`` is where Go is when it comes to it."""
    first, *arguments = node.operands
    if isinstance(first, Identifier):
        return call_with_final(scope, first, node, tuple(arguments))
    if isinstance(first, Parenthesized):
        refuse = fail(before, "can't give argument to non-function ", first)
        return Stage(lambda state, dot, _final: refuse(state, dot), before)
    run, site = _with_arguments(scope, first, len(arguments) + 1)
    return Stage(lambda state, dot, _final: run(state, dot), site)


def operand(scope: Scope, node: Operand, *, keep: Keep, arguments: int | None = None) -> Part:
    """Compile one operand; its closure keeps of a value's being known as "any" what is asked for."""
    site = scope.site(node)
    match node:
        case Field(names=names):
            return Part(chain_of(names, scope.missing, at(site), arguments, keep=keep), site)
        case Variable():
            return variable(scope, node, keep=keep, arguments=arguments)
        case Chain():
            inner = operand(scope, node.operand, keep="all")
            follow = chain_of(node.names, scope.missing, at(inner.site), arguments, keep=keep)
            value = inner.run
            return Part(lambda state, dot: follow(state, value(state, dot)), inner.site)
        case Parenthesized():
            return parenthesized(scope, node)
        case Identifier():
            return call(scope, node, node, (), keep=keep)
        case Dot():
            finish = kept(keep)
            return Part(_dot if keep == "all" else lambda _state, dot: finish(dot), site)
        case Nil():
            return Part(constant(NO_VALUE), site)
        case Number(value=None, text=text):
            return Part(fail(site, f"{text} overflows int"), site)
        case String() | Number() | Bool():
            return Part(constant(node.value), site)
    raise AssertionError(f"no such operand: {node}")


def _dot(_state: State, dot: Any) -> Any:
    return dot


def variable(scope: Scope, node: Variable, *, keep: Keep, arguments: int | None = None) -> Part:
    """Compile ``$x`` or ``$x.A.B``."""
    site = scope.site(node)
    name, *fields = node.names
    if fields:
        return Part(
            _fields_of(name, chain_of(tuple(fields), scope.missing, at(site), arguments, keep=keep), site), site
        )
    finish = kept(keep)

    def run(state: State, _dot: Any) -> Any:
        cell = state.variables.get(name)
        if cell is None:
            raise site.error(f"undefined variable: {name}")
        value = cell[0]
        return value if type(value) is int or type(value) is bool else finish(value)

    return Part(run, site)


def _fields_of(name: str, follow: Callable[[State, Any], Any], site: Site) -> Run:
    def run(state: State, _dot: Any) -> Any:
        cell = state.variables.get(name)
        if cell is None:
            raise site.error(f"undefined variable: {name}")
        return follow(state, cell[0])

    return run


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


def _kind(function: Builtin, number: int) -> ArgumentKind:
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


def _argument(scope: Scope, node: Operand, kind: ArgumentKind) -> Part:
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


def _accepting(kind: ArgumentKind, where: Callable[[State], Site]) -> Callable[[State, Any], Any]:
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
