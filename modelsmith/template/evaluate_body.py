"""Lists of nodes and control structures, as closures. Source of the rules: Go, ``text/template/exec.go`` (walk)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate_nodes import (
    Action,
    Block,
    Branch,
    Break,
    Chain,
    Continue,
    If,
    Parenthesized,
    Range,
    TemplateCall,
    Text,
)
from modelsmith.syntax.gotemplate_print import go_text
from modelsmith.template import gofmt
from modelsmith.template.evaluate_operands import at, pipeline
from modelsmith.template.evaluate_range import BreakLoop, ContinueLoop, Loop
from modelsmith.template.evaluate_state import too_long
from modelsmith.template.functions_escape import printable
from modelsmith.template.values import Function, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsmith.syntax.gotemplate_nodes import Body, ListItem, Operand, Pipeline
    from modelsmith.template.evaluate_operands import Run, Scope
    from modelsmith.template.evaluate_state import Site, State

    Call = Callable[[Scope, TemplateCall | Block], Run]
    Mark = Callable[[str, ListItem], Any]


class BodyCompiler:
    """Compiles the lists of one template.

    ``call`` compiles calls of other templates. ``mark`` wraps each piece of output with the node that makes it; without
    it, the output is the bare text.
    """

    def __init__(self, scope: Scope, call: Call, mark: Mark | None = None) -> None:
        self._scope = scope
        self._call = call
        self._mark = mark

    def body(self, body: Body | None) -> Run:
        """Compile a list."""
        runs = tuple(self._item(node) for node in (body.for_go if body else ()))
        if len(runs) == 1:
            return runs[0]

        def run(state: State, dot: Any) -> None:
            for item in runs:
                item(state, dot)

        return run

    def _item(self, node: ListItem) -> Run:
        match node:
            case Text():
                return _writing(self._mark(node.value, node) if self._mark else node.value)
            case Action():
                return self._action(node)
            case Range():
                return _scoped(self._range(node), declared_in(node.pipeline, node.otherwise))
            case Branch():
                return _scoped(self._branch(node), declared_in(node.pipeline, node.body, node.otherwise))
            case TemplateCall() | Block():
                return self._call(self._scope, node)
            case Break():
                return _raising(BreakLoop)
            case Continue():
                return _raising(ContinueLoop)
        raise AssertionError(f"no such node in a list: {node}")

    def _action(self, node: Action) -> Run:
        value = pipeline(self._scope, node.pipeline).run
        if node.pipeline.declared:
            return value
        site, mark = self._scope.site(node), self._mark
        if mark is not None:
            return _printing_marked(value, site, mark, node)

        def run(state: State, dot: Any) -> None:
            found = value(state, dot)
            text = found if type(found) is str else _printed(found, state, site)
            state.room -= len(text)
            if state.room < 0:
                raise too_long()
            state.write(text)

        return run

    def _branch(self, node: Branch) -> Run:
        condition = pipeline(self._scope, node.pipeline).run
        then = self.body(node.body)
        otherwise = self.body(node.otherwise) if node.otherwise else None

        def run_if(state: State, dot: Any) -> None:
            value = condition(state, dot)
            kind = type(value)
            if value if kind is bool or kind is str else truth(value):
                then(state, dot)
            elif otherwise is not None:
                otherwise(state, dot)

        def run_with(state: State, dot: Any) -> None:
            value = condition(state, dot)
            if truth(value):
                then(state, value)
            elif otherwise is not None:
                otherwise(state, dot)

        return run_if if isinstance(node, If) else run_with

    def _range(self, node: Range) -> Run:
        value, site = pipeline(self._scope, node.pipeline)
        return Loop(
            value,
            _scoped(self.body(node.body), declared_in(node.body)),
            self.body(node.otherwise) if node.otherwise else None,
            tuple(variable.names[0] for variable in node.pipeline.declared),
            node.pipeline.assigns,
            at(site),
            *cost(node.body),
            # a break in the else ends this loop too, a continue there the one around it
            any(isinstance(item, Break) for part in (node.body, node.otherwise) if part for item in _inside(part)),
            any(isinstance(item, Continue) for item in _inside(node.body)),
        ).compiled()


def _writing(piece: Any) -> Run:
    return lambda state, _dot: state.write(piece)


def _printing_marked(value: Run, site: Site, mark: Mark, node: ListItem) -> Run:
    def run(state: State, dot: Any) -> None:
        found = value(state, dot)
        state.write(mark(state.made(found if type(found) is str else _printed(found, state, site)), node))

    return run


def _raising(kind: type[BreakLoop | ContinueLoop]) -> Run:
    def run(_state: State, _dot: Any) -> None:
        raise kind

    return run


def _printed(value: Any, state: State, site: Site) -> str:
    """Return what an action prints."""
    shown = printable(value)
    if isinstance(shown, Function):
        raise site.error(f"can't print {go_text(site.node)} of type {shown.type.name}")
    return gofmt.text_of(shown, state.room)


def cost(body: Body) -> tuple[int, int]:
    """Return how many nodes a list has at most to run, and how much text they hold."""
    items = tuple(_inside(body))
    return 1 + len(items), sum(len(item.value) for item in items if isinstance(item, Text))


def _inside(body: Body) -> Iterator[ListItem]:
    """Yield what runs in one round: the list and those of its branches."""
    for node in body.for_go:
        yield node
        if isinstance(node, Branch):
            yield from _inside(node.body)
            if node.otherwise:
                yield from _inside(node.otherwise)


def _scoped(run: Run, names: tuple[str, ...]) -> Run:
    """Let variables that are declared inside be forgotten at the end."""
    if not names:
        return run

    def run_scoped(state: State, dot: Any) -> None:
        variables = state.variables
        before = [variables.get(name) for name in names]
        try:
            run(state, dot)
        finally:
            for name, cell in zip(names, before, strict=True):
                if cell is not None:
                    variables[name] = cell
                else:
                    variables.pop(name, None)

    return run_scoped


def declared_in(*parts: Pipeline | Body | None) -> tuple[str, ...]:
    """Return the variables that pipelines and lists declare, those of nested control structures aside."""
    from modelsmith.syntax.gotemplate_nodes import Body as BodyNode

    names: dict[str, None] = {}
    for part in parts:
        if isinstance(part, BodyNode):
            for node in part.nodes:
                if isinstance(node, Action | TemplateCall | Block) and node.pipeline:
                    names.update(dict.fromkeys(_declared(node.pipeline)))
        elif part is not None:
            names.update(dict.fromkeys(_declared(part)))
    return tuple(names)


def _declared(node: Pipeline) -> Iterator[str]:
    if not node.assigns:
        yield from (variable.names[0] for variable in node.declared)
    for one in node.commands:
        for operand in one.operands:
            inner: Operand = operand.operand if isinstance(operand, Chain) else operand
            if isinstance(inner, Parenthesized):
                yield from _declared(inner.pipeline)
