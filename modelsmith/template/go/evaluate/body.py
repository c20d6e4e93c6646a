"""Lists of nodes and control structures, as closures. Source of the rules: Go, ``text/template/exec.go`` (walk)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.syntax.gotemplate.nodes import Action, Block, Break, Continue, If, Range, TemplateCall, Text, With
from modelsmith.template.go.evaluate.branch import choosing, choosing_with, declared_in, scoped
from modelsmith.template.go.evaluate.expressions import pipeline
from modelsmith.template.go.evaluate.loops import BreakLoop, ContinueLoop, Loop, raising
from modelsmith.template.go.evaluate.output import printing, printing_behind, printing_marked, writing
from modelsmith.template.go.evaluate.parts import at, moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import Body, ListItem
    from modelsmith.template.go.evaluate.output import Mark
    from modelsmith.template.go.evaluate.parts import Run, Scope
    from modelsmith.template.go.state import State

    Call = Callable[[Scope, TemplateCall | Block], Run]


class Code(NamedTuple):
    """Compiled nodes: the closure, how many nodes it runs at most outside of loops, how much text they hold, its jumps."""

    run: Run
    steps: int = 1
    text: int = 0
    breaks: bool = False
    continues: bool = False

    def on_fresh_stack(self) -> Code:
        """Return code that does the same in a thread of its own."""
        return self._replace(run=moved(self.run))


class BodyCompiler:
    """Compiles the lists of one template.

    ``call`` compiles calls of other templates. ``mark`` wraps each piece of output with the node that makes it; without
    it, the output is the bare text.
    """

    def __init__(self, scope: Scope, call: Call, mark: Mark | None = None) -> None:
        self._scope = scope
        self._call = call
        self._mark = mark

    def body(self, body: Body) -> Code:
        """Compile a list, one level deeper than what it stands in."""
        return self._scope.levels.deeper(self._list, Code.on_fresh_stack, body)

    def _list(self, body: Body) -> Code:
        codes, before = [], ""
        nodes = body.for_go
        for node, following in zip(nodes, (*nodes[1:], None), strict=False):
            if self._mark is None and isinstance(node, Text) and _prints(following):
                before = node.value  # one closure writes both
                continue
            codes.append(self._item(node, before))
            before = ""
        runs = tuple(code.run for code in codes)
        return Code(
            runs[0] if len(runs) == 1 else _running(runs),
            len(nodes) + sum(code.steps - 1 for code in codes),
            sum(code.text for code in codes),
            any(code.breaks for code in codes),
            any(code.continues for code in codes),
        )

    def _item(self, node: ListItem, before: str) -> Code:
        match node:
            case Text(value=value):
                return Code(writing(self._mark(value, node) if self._mark else value), text=len(value))
            case Action():
                return Code(self._action(node, before), text=len(before))
            case Range():
                return self._range(node)
            case If() | With():
                return self._chain(node)
            case TemplateCall() | Block():
                return Code(self._call(self._scope, node))
            case Break():
                return Code(raising(BreakLoop), breaks=True)
            case Continue():
                return Code(raising(ContinueLoop), continues=True)
        raise AssertionError(f"no such node in a list: {node}")

    def _action(self, node: Action, before: str) -> Run:
        value = pipeline(self._scope, node.pipeline).run
        if node.pipeline.declared:
            return value
        site, mark = self._scope.site(node), self._mark
        if mark is not None:
            return printing_marked(value, site, mark, node)
        return printing_behind(before, value, site) if before else printing(value, site)

    def _chain(self, node: If | With) -> Code:
        """Compile an if or a with, and those that are its else: however many there are, they are one level."""
        links: list[tuple[Run, Run]] = []
        names: dict[str, None] = {}
        inside: list[Code] = []
        following: ListItem | None = node
        otherwise: Body | None = None
        while isinstance(following, If | With) and type(following) is type(node):
            condition = pipeline(self._scope, following.pipeline).run
            inside.append(self.body(following.body))
            links.append((condition, inside[-1].run))
            otherwise = following.otherwise
            names.update(dict.fromkeys(declared_in(following.pipeline, following.body, otherwise)))
            nodes = otherwise.for_go if otherwise else ()
            following = nodes[0] if len(nodes) == 1 else None
        last = None
        if otherwise:
            inside.append(self.body(otherwise))
            last = inside[-1].run
        run = choosing(tuple(links), last) if isinstance(node, If) else choosing_with(tuple(links), last)
        return Code(
            scoped(run, tuple(names)),
            len(links) + sum(code.steps for code in inside),
            sum(code.text for code in inside),
            any(code.breaks for code in inside),
            any(code.continues for code in inside),
        )

    def _range(self, node: Range) -> Code:
        value, site = pipeline(self._scope, node.pipeline)
        body = self.body(node.body)
        otherwise = self.body(node.otherwise) if node.otherwise else None
        loop = Loop(
            value,
            scoped(body.run, declared_in(node.body)),
            otherwise.run if otherwise else None,
            tuple(variable.names[0] for variable in node.pipeline.declared),
            node.pipeline.assigns,
            at(site),
            1 + body.steps,
            body.text,
            # a break in the else ends this loop too, a continue there the one around it
            body.breaks or (otherwise is not None and otherwise.breaks),
            body.continues,
        )
        return Code(
            scoped(loop.compiled(), declared_in(node.pipeline, node.otherwise)),
            # what a round costs is charged by the loop itself
            1 + (otherwise.steps if otherwise else 0),
            otherwise.text if otherwise else 0,
            loop.breaks,
            body.continues or (otherwise is not None and otherwise.continues),
        )


def _prints(node: ListItem | None) -> bool:
    return isinstance(node, Action) and not node.pipeline.declared


def _running(runs: tuple[Run, ...]) -> Run:
    def run(state: State, dot: Any) -> None:
        for item in runs:
            item(state, dot)

    return run
