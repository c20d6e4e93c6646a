"""Pipelines, commands and their operands, as closures. Source of the rules: Go, ``text/template/exec.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate_nodes import (
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
from modelsmith.template.evaluate_fields import chain_of
from modelsmith.template.evaluate_parts import Part, Stage, at, constant, fail
from modelsmith.template.values import NO_VALUE, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate_nodes import Command, Operand, Pipeline
    from modelsmith.template.evaluate_parts import Run, RunFinal, Scope
    from modelsmith.template.evaluate_state import Site, State
    from modelsmith.template.values import Keep


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
    """Compile what is in parentheses, one level deeper than what they stand in."""
    return scope.levels.deeper(pipeline, Part.on_fresh_stack, scope, node.pipeline)


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
        from modelsmith.template.evaluate_calls import call

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
        from modelsmith.template.evaluate_calls import call_with_final

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
            from modelsmith.template.evaluate_calls import call

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
