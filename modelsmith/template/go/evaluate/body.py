"""Lists of nodes and control structures, as closures. Source of the rules: Go, ``text/template/exec.go`` (walk)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.syntax.gotemplate.nodes import Action, Block, Break, Continue, If, Range, TemplateCall, Text, With
from modelsmith.template.go.deep import STEP, walked
from modelsmith.template.go.evaluate import deep
from modelsmith.template.go.evaluate.branch import choosing, choosing_with, declared_in, scoped
from modelsmith.template.go.evaluate.expressions import expression
from modelsmith.template.go.evaluate.loops import BreakLoop, ContinueLoop, Loop, raising
from modelsmith.template.go.evaluate.output import printing, printing_behind, printing_marked, writing
from modelsmith.template.go.evaluate.parts import Code, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import Body, ListItem
    from modelsmith.template.go.deep import Walk
    from modelsmith.template.go.evaluate.output import Mark
    from modelsmith.template.go.evaluate.parts import Run, Scope
    from modelsmith.template.go.state import State

    Call = Callable[[Scope, TemplateCall | Block], Run]


class BodyCompiler:
    """Compiles the lists of one template.

    ``call`` compiles calls of other templates. ``mark`` wraps each piece of output with the node that makes it; without
    it, the output is the bare text.
    """

    def __init__(self, scope: Scope, call: Call, mark: Mark | None = None) -> None:
        self._scope = scope
        self._call = call
        self._mark = mark

    def compiled(self, body: Body) -> Code:
        """Compile a list, however deep lists stand in it."""
        code: Code = walked(self._body(body))
        return code

    def _body(self, body: Body) -> Walk:
        """Compile a list; returns Code, as all walks here do."""
        codes, before = [], ""
        nodes = body.for_go
        for node, following in zip(nodes, (*nodes[1:], None), strict=False):
            if self._mark is None and isinstance(node, Text) and _prints(following):
                before = node.value  # one closure writes both
                continue
            codes.append(
                (yield self._control(node)) if isinstance(node, Range | If | With) else self._item(node, before)
            )
            before = ""
        runs = tuple(code.run for code in codes)
        code = Code(
            runs[0] if len(runs) == 1 else _running(runs),
            len(nodes) + sum(code.steps - 1 for code in codes),
            sum(code.text for code in codes),
            any(code.breaks for code in codes),
            any(code.continues for code in codes),
            1 + max((code.height for code in codes), default=0),
        )
        return Code.of_deep(deep.running(codes), code) if code.height >= STEP else code

    def _control(self, node: Range | If | With) -> Walk:
        return self._range(node) if isinstance(node, Range) else self._chain(node)

    def _item(self, node: ListItem, before: str) -> Code:
        match node:
            case Text(value=value):
                return Code(writing(self._mark(value, node) if self._mark else value), text=len(value))
            case Action():
                return Code(self._action(node, before), text=len(before))
            case TemplateCall() | Block():
                return Code(self._call(self._scope, node))
            case Break():
                return Code(raising(BreakLoop), breaks=True)
            case Continue():
                return Code(raising(ContinueLoop), continues=True)
        raise AssertionError(f"no such node in a list: {node}")

    def _action(self, node: Action, before: str) -> Run:
        value = expression(self._scope, node.pipeline).run
        if node.pipeline.declared:
            return value
        site, mark = self._scope.site(node), self._mark
        if mark is not None:
            return printing_marked(value, site, mark, node)
        return printing_behind(before, value, site) if before else printing(value, site)

    def _chain(self, node: If | With) -> Walk:
        """Compile an if or a with, and those that are its else: however many there are, they are one level."""
        links: list[tuple[Run, Code]] = []
        names: dict[str, None] = {}
        inside: list[Code] = []
        following: ListItem | None = node
        otherwise: Body | None = None
        while isinstance(following, If | With) and type(following) is type(node):
            condition = expression(self._scope, following.pipeline).run
            inside.append((yield self._body(following.body)))
            links.append((condition, inside[-1]))
            otherwise = following.otherwise
            names.update(dict.fromkeys(declared_in(following.pipeline, following.body, otherwise)))
            nodes = otherwise.for_go if otherwise else ()
            following = nodes[0] if len(nodes) == 1 else None
        last: Code | None = (yield self._body(otherwise)) if otherwise else None
        inside += [last] if last else []
        choose = choosing if isinstance(node, If) else choosing_with
        run = choose(tuple((condition, then.run) for condition, then in links), last.run if last else None)
        code = Code(
            scoped(run, tuple(names)),
            len(links) + sum(code.steps for code in inside),
            sum(code.text for code in inside),
            any(code.breaks for code in inside),
            any(code.continues for code in inside),
            max(code.height for code in inside),
        )
        if code.height < STEP:
            return code
        return Code.of_deep(deep.scoped(deep.choosing(links, last, is_with=isinstance(node, With)), tuple(names)), code)

    def _range(self, node: Range) -> Walk:
        value, site = expression(self._scope, node.pipeline)
        body: Code = yield self._body(node.body)
        otherwise: Code | None = (yield self._body(node.otherwise)) if node.otherwise else None
        inside = declared_in(node.body)
        loop = Loop(
            value,
            scoped(body.run, inside),
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
        names = declared_in(node.pipeline, node.otherwise)
        code = Code(
            scoped(loop.compiled(), names),
            # what a round costs is charged by the loop itself
            1 + (otherwise.steps if otherwise else 0),
            otherwise.text if otherwise else 0,
            loop.breaks,
            body.continues or (otherwise is not None and otherwise.continues),
            max(body.height, otherwise.height if otherwise else 0),
        )
        if code.height < STEP:
            return code
        body = Code.of_deep(deep.scoped(deep.running((body,)), inside), body)
        return Code.of_deep(deep.scoped(deep.looping(loop, body, otherwise), names), code)


def _prints(node: ListItem | None) -> bool:
    return isinstance(node, Action) and not node.pipeline.declared


def _running(runs: tuple[Run, ...]) -> Run:
    def run(state: State, dot: Any) -> None:
        for item in runs:
            item(state, dot)

    return run
