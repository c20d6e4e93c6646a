"""Run a Go template: compile its tree into closures once, and call them for each rendering.

Source of the rules: Go, ``text/template/exec.go``. A template has no access to anything but its data, and a budget of
steps and of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.go.evaluate.body import BodyCompiler
from modelsmith.template.go.evaluate.expressions import expression
from modelsmith.template.go.evaluate.parts import Scope
from modelsmith.template.go.state import MAX_CALLS, State
from modelsmith.template.go.values.values import NO_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.syntax.gotemplate.nodes import Block, Body, TemplateCall
    from modelsmith.template.go.evaluate.output import Mark
    from modelsmith.template.go.evaluate.parts import Code, Run
    from modelsmith.template.go.functions.functions import Builtin


class Program:
    """Compiled templates; those that are called by name are compiled when they are first called.

    ``missing`` is what a map gives for a key that it has not: None for Go's ``missingkey=zero``.
    """

    def __init__(
        self,
        text: str,
        templates: Mapping[str, Body],
        functions: Mapping[str, Builtin],
        *,
        missing: Any = None,
        mark: Mark | None = None,
    ) -> None:
        self._text = text
        self._templates = templates
        self._functions = functions
        self._missing = missing
        self._mark = mark
        self._compiled: dict[str, Code] = {}
        self._root = self._code_of("").run

    def run(self, state: State) -> None:
        """Run the template once; what it prints goes to ``state.write``."""
        self._root(state, state.variables["$"][0])

    def _code_of(self, name: str) -> Code:
        code = self._compiled.get(name)
        if code is None:
            scope = Scope(name, self._text, self._functions, self._missing)
            code = self._compiled[name] = BodyCompiler(scope, self._call, self._mark).compiled(self._templates[name])
        return code

    def _call(self, scope: Scope, node: TemplateCall | Block) -> Run:
        """Compile a call of another template: it sees its argument and no variables."""
        site, name = scope.site(node), node.name
        value = expression(scope, node.pipeline).run if node.pipeline else None

        def run(state: State, dot: Any) -> None:
            if name not in self._templates:
                from modelsmith.syntax.gotemplate.literals import quote

                raise site.error(f"template {quote(name)} not defined")
            argument = value(state, dot) if value else NO_VALUE
            if state.calls >= MAX_CALLS:
                raise site.error(f"exceeded maximum template depth ({MAX_CALLS}; Go's is 100000)")
            called = self._code_of(name)
            state.spend(1 + called.steps, called.text)
            outer, state.variables = state.variables, {"$": [argument]}
            state.calls += 1
            try:
                called.run(state, argument)
            finally:
                state.variables = outer
                state.calls -= 1

        return run
