"""``{{if}}`` and ``{{with}}``, and what is forgotten behind an ``{{end}}``. Source of the rules: Go, ``text/template/exec.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.nodes import Action, Block, Body, Chain, Parenthesized, TemplateCall
from modelsmith.template.go.values.values import truth

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.nodes import Pipeline
    from modelsmith.template.go.evaluate.parts import Run
    from modelsmith.template.go.state import State


def choosing(links: tuple[tuple[Run, Run], ...], otherwise: Run | None) -> Run:
    """Run what stands behind the first condition that holds."""
    if len(links) > 1:
        return _choosing_of_many(links, otherwise)
    ((condition, then),) = links

    def run(state: State, dot: Any) -> None:
        value = condition(state, dot)
        kind = type(value)
        if value if kind is bool or kind is str else truth(value):
            then(state, dot)
        elif otherwise is not None:
            otherwise(state, dot)

    return run


def _choosing_of_many(links: tuple[tuple[Run, Run], ...], otherwise: Run | None) -> Run:
    def run(state: State, dot: Any) -> None:
        for condition, then in links:
            value = condition(state, dot)
            kind = type(value)
            if value if kind is bool or kind is str else truth(value):
                then(state, dot)
                return
        if otherwise is not None:
            otherwise(state, dot)

    return run


def choosing_with(links: tuple[tuple[Run, Run], ...], otherwise: Run | None) -> Run:
    """Run what stands behind the first value that is true, with it as the dot."""

    def run(state: State, dot: Any) -> None:
        for condition, then in links:
            value = condition(state, dot)
            if truth(value):
                then(state, value)
                return
        if otherwise is not None:
            otherwise(state, dot)

    return run


def scoped(run: Run, names: tuple[str, ...]) -> Run:
    """Let variables that are declared inside be forgotten at the end."""
    if not names:
        return run
    if len(names) == 1:
        return _scoped_one(run, names[0])

    def run_scoped(state: State, dot: Any) -> None:
        variables = state.variables
        before = [variables.get(name) for name in names]
        try:
            run(state, dot)
        finally:
            leave(state, names, before)

    return run_scoped


def leave(state: State, names: tuple[str, ...], before: list[list[Any] | None]) -> None:
    """Put back the variables of these names as they were before."""
    for name, cell in zip(names, before, strict=True):
        if cell is not None:
            state.variables[name] = cell
        else:
            state.variables.pop(name, None)


def _scoped_one(run: Run, name: str) -> Run:
    def run_scoped(state: State, dot: Any) -> None:
        variables = state.variables
        cell = variables.get(name)
        try:
            run(state, dot)
        finally:
            if cell is not None:
                variables[name] = cell
            else:
                variables.pop(name, None)

    return run_scoped


def declared_in(*parts: Pipeline | Body | None) -> tuple[str, ...]:
    """Return the variables that pipelines and lists declare, those of nested control structures aside."""
    names: dict[str, None] = {}
    waiting: list[Pipeline] = []
    for part in parts:
        if isinstance(part, Body):
            waiting += [
                node.pipeline
                for node in part.nodes
                if isinstance(node, Action | TemplateCall | Block) and node.pipeline
            ]
        elif part is not None:
            waiting.append(part)
    while waiting:
        node = waiting.pop()
        if not node.assigns:
            names.update((variable.names[0], None) for variable in node.declared)
        for command in node.commands:
            for operand in command.operands:
                inner = operand.operand if isinstance(operand, Chain) else operand
                if isinstance(inner, Parenthesized):
                    waiting.append(inner.pipeline)
    return tuple(names)
