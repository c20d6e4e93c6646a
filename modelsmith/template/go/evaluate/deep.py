"""What is nested deeper than Python's stack bears: lists and control structures as walks, parentheses evaluated from the inside.

Only templates of more than some dozen levels pay for it. A list that is so deep becomes a walk (see ``template.go.deep``), and so
does all that it stands in. Parentheses so deep are evaluated before what they stand in: nothing in them can be seen from
outside, and an error counts when Go comes to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.syntax.gotemplate.nodes import Chain, Parenthesized
from modelsmith.template.go.deep import STEP
from modelsmith.template.go.evaluate.branch import leave
from modelsmith.template.go.evaluate.loops import BreakLoop, ContinueLoop
from modelsmith.template.go.evaluate.parts import Part
from modelsmith.template.go.values.values import truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelsmith.syntax.gotemplate.nodes import Pipeline
    from modelsmith.template.go.deep import Walk
    from modelsmith.template.go.evaluate.loops import Loop
    from modelsmith.template.go.evaluate.parts import Code, Deep, Run, Scope
    from modelsmith.template.go.state import State


def running(codes: Sequence[Code]) -> Deep:
    """Run one after the other."""

    def walk(state: State, dot: Any) -> Walk:
        for code in codes:
            if code.deep:
                yield code.deep(state, dot)
            else:
                code.run(state, dot)

    return walk


def choosing(links: Sequence[tuple[Run, Code]], otherwise: Code | None, *, is_with: bool) -> Deep:
    """Run what stands behind the first condition that holds; ``is_with``: with its value as the dot."""

    def walk(state: State, dot: Any) -> Walk:
        chosen = otherwise
        for condition, then in links:
            value = condition(state, dot)
            if truth(value):
                chosen, dot = then, value if is_with else dot
                break
        if chosen is not None:
            yield from running((chosen,))(state, dot)

    return walk


def looping(loop: Loop, body: Code, otherwise: Code | None) -> Deep:
    """Run the body of a range for each element, or what stands in its else."""
    inside, instead = running((body,)), running((otherwise,)) if otherwise else None

    def walk(state: State, dot: Any) -> Walk:
        ran = False
        try:
            for element in loop.rounds(state, dot):
                ran = True
                try:
                    yield inside(state, element)
                except ContinueLoop:
                    if not loop.continues:
                        raise
            if not ran and instead is not None:
                yield instead(state, dot)
        except BreakLoop:
            return

    return walk


def scoped(deep: Deep, names: tuple[str, ...]) -> Deep:
    """Let variables that are declared inside be forgotten at the end."""

    def walk(state: State, dot: Any) -> Walk:
        before = [state.variables.get(name) for name in names]
        try:
            yield deep(state, dot)
        finally:
            leave(state, names, before)

    return walk if names else deep


class NestedTooDeep(Exception):
    """Parentheses that are deeper than closures in one another can be."""


def from_inside(scope: Scope, node: Pipeline, compiled: Callable[[Scope, Pipeline], Part]) -> Part:
    """Compile a pipeline whose parentheses are deep: every so many levels are evaluated before those around them."""
    first: list[Run] = []
    for inner in reversed(list(_every_step(node))):
        part = compiled(scope, inner.pipeline)
        first.append(_noted(id(inner), part.run))
        scope.evaluated[id(inner)] = Part(_told(id(inner)), part.site)
    run, site = compiled(scope, node)

    def run_all(state: State, dot: Any) -> Any:
        for note in first:
            note(state, dot)
        return run(state, dot)

    return Part(run_all, site)


def _every_step(node: Pipeline) -> Iterator[Parenthesized]:
    """Yield the parentheses at every so many levels, outer ones before those in them."""
    waiting = [(node, 0)]
    while waiting:
        pipeline, depth = waiting.pop()
        if depth and pipeline.declared:
            raise RecursionError  # variables of parentheses depend on what is evaluated first
        for command in pipeline.commands:
            for operand in command.operands:
                inner = operand.operand if isinstance(operand, Chain) else operand
                if isinstance(inner, Parenthesized):
                    if (depth + 1) % STEP == 0:
                        yield inner
                    waiting.append((inner.pipeline, depth + 1))


def _noted(key: int, run: Run) -> Run:
    """Evaluate, and note the value or the error, and where ``and`` and ``or`` stopped."""

    def note(state: State, dot: Any) -> None:
        state.spend(STEP, 0)
        before, state.last = state.last, None
        value, error = None, None
        try:
            value = run(state, dot)
        except TemplateRenderError as wrong:
            error = wrong
        state.evaluated[key] = (value, error, state.last)
        state.last = before

    return note


def _told(key: int) -> Run:
    def run(state: State, _dot: Any) -> Any:
        value, error, last = state.evaluated[key]
        if last is not None:
            state.last = last
        if error is not None:
            raise error
        return value

    return run
