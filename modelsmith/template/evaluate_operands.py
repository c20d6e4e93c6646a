"""Pipelines, commands and their operands, as closures. Source of the rules: Go, ``text/template/exec.go``.

Every part is compiled once into a closure of the state and the dot. With it goes the site at which Go would be after
running it, where it reports some errors; None stands for ``state.last``, which ``and`` and ``or`` set when they run.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

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
from modelsmith.syntax.gotemplate_print import go_text
from modelsmith.template.evaluate_fields import chain_of
from modelsmith.template.evaluate_state import Site
from modelsmith.template.values import NIL, NO_VALUE, Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.syntax.gotemplate_nodes import Command, Node, Operand, Pipeline
    from modelsmith.template.evaluate_state import State
    from modelsmith.template.functions import Builtin

    Run = Callable[[State, Any], Any]
    RunFinal = Callable[[State, Any, Any], Any]


class Part(NamedTuple):
    """A closure, and the site at which Go is after it."""

    run: Run
    site: Site | None


class Stage(NamedTuple):
    """A command that takes the value of the one before it."""

    run: RunFinal
    site: Site | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the parts of one template share: its name and text, the functions, and what a map without a key gives."""

    name: str
    text: str
    functions: Mapping[str, Builtin]
    missing: Any

    def site(self, node: Node) -> Site:
        """Return the site of a node."""
        return Site(node, self.name, self.text)


def at(site: Site | None) -> Callable[[State], Site]:
    """Return how to find a site when an error has to be reported."""
    if site is None:
        return operator.attrgetter("last")

    def known(_state: State) -> Site:
        return site

    return known


def constant(value: Any) -> Run:
    """Return the closure of a literal."""
    return lambda _state, _dot: value


def fail(site: Site | None, message: str) -> Run:
    """Return a closure that is an error whenever it runs."""
    where = at(site)

    def run(state: State, _dot: Any) -> Any:
        raise where(state).error(message)

    return run


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

        return call(scope, first, node, tuple(arguments), keep=False)
    if isinstance(first, Parenthesized):
        if arguments:
            site = scope.site(within)
            return Part(fail(site, f"can't give argument to non-function {go_text(first)}"), site)
        return pipeline(scope, first.pipeline)
    if arguments:
        return _with_arguments(scope, first, len(arguments))
    if isinstance(first, Nil):
        site = scope.site(first)
        return Part(fail(site, "nil is not a command"), site)
    return operand(scope, first, keep=False)


def _with_arguments(scope: Scope, first: Operand, arguments: int) -> Part:
    """Compile a value that is given arguments: only a method can take them."""
    if isinstance(first, Field | Chain) or (isinstance(first, Variable) and len(first.names) > 1):
        return operand(scope, first, keep=False, arguments=arguments)
    site = scope.site(first)
    refuse = fail(site, f"can't give argument to non-function {go_text(first)}")
    if not isinstance(first, Variable):
        return Part(refuse, site)
    value = variable(scope, first, keep=False).run

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
        refuse = fail(before, f"can't give argument to non-function {go_text(first)}")
        return Stage(lambda state, dot, _final: refuse(state, dot), before)
    run, site = _with_arguments(scope, first, len(arguments) + 1)
    return Stage(lambda state, dot, _final: run(state, dot), site)


def operand(scope: Scope, node: Operand, *, keep: bool, arguments: int | None = None) -> Part:
    """Compile one operand; unless ``keep``, its closure forgets that a value is known as "any"."""
    site = scope.site(node)
    match node:
        case Field(names=names):
            return Part(chain_of(names, scope.missing, at(site), arguments, keep=keep), site)
        case Variable():
            return variable(scope, node, keep=keep, arguments=arguments)
        case Chain():
            inner = operand(scope, node.operand, keep=True)
            follow = chain_of(node.names, scope.missing, at(inner.site), arguments, keep=keep)
            value = inner.run
            return Part(lambda state, dot: follow(state, value(state, dot)), inner.site)
        case Parenthesized(pipeline=inside):
            return pipeline(scope, inside)
        case Identifier():
            from modelsmith.template.evaluate_calls import call

            return call(scope, node, node, (), keep=keep)
        case Dot():
            return Part(_dot if keep else _plain_dot, site)
        case Nil():
            return Part(constant(NO_VALUE), site)
        case Number(value=None, text=text):
            return Part(fail(site, f"{text} overflows int"), site)
        case String() | Number() | Bool():
            return Part(constant(node.value), site)
    raise AssertionError(f"no such operand: {node}")


def _dot(_state: State, dot: Any) -> Any:
    return dot


def _plain_dot(_state: State, dot: Any) -> Any:
    return dot.value if type(dot) is Interface else NO_VALUE if dot is NIL else dot


def variable(scope: Scope, node: Variable, *, keep: bool, arguments: int | None = None) -> Part:
    """Compile ``$x`` or ``$x.A.B``."""
    site = scope.site(node)
    name, *fields = node.names
    follow = chain_of(tuple(fields), scope.missing, at(site), arguments, keep=keep) if fields else None

    def run(state: State, _dot: Any) -> Any:
        cell = state.variables.get(name)
        if cell is None:
            raise site.error(f"undefined variable: {name}")
        value = cell[0]
        if follow is not None:
            return follow(state, value)
        if keep:
            return value
        return value.value if type(value) is Interface else NO_VALUE if value is NIL else value

    return Part(run, site)
