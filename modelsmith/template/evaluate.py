"""Run a Go template: compile its tree into closures once, and call them for each rendering.

Source of the rules: Go, ``text/template/exec.go``. A template has no access to anything but its data, and a budget of
steps and of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.evaluate_body import BodyCompiler, cost
from modelsmith.template.evaluate_operands import Scope, pipeline
from modelsmith.template.evaluate_state import MAX_CALLS, State
from modelsmith.template.values import NO_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.syntax.gotemplate_nodes import Block, Body, TemplateCall
    from modelsmith.template.evaluate_body import Mark
    from modelsmith.template.evaluate_operands import Run
    from modelsmith.template.functions import Builtin


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
        self._compiled: dict[str, Run] = {}
        self._root = self._run_of("")

    def run(self, state: State) -> None:
        """Run the template once; what it prints goes to ``state.write``."""
        self._root(state, state.variables["$"][0])

    def _run_of(self, name: str) -> Run:
        run = self._compiled.get(name)
        if run is None:
            scope = Scope(name, self._text, self._functions, self._missing)
            run = self._compiled[name] = BodyCompiler(scope, self._call, self._mark).body(self._templates[name])
        return run

    def _call(self, scope: Scope, node: TemplateCall | Block) -> Run:
        """Compile a call of another template: it sees its argument and no variables."""
        site, name = scope.site(node), node.name
        value = pipeline(scope, node.pipeline).run if node.pipeline else None
        steps, text = cost(self._templates[name]) if name in self._templates else (1, 0)

        def run(state: State, dot: Any) -> None:
            if name not in self._templates:
                from modelsmith.syntax.gotemplate_literals import quote

                raise site.error(f"template {quote(name)} not defined")
            argument = value(state, dot) if value else NO_VALUE
            if state.calls >= MAX_CALLS:
                raise site.error(f"exceeded maximum template depth ({MAX_CALLS}; Go's is 100000)")
            outer, state.variables = state.variables, {"$": [argument]}
            state.calls += 1
            state.spend(steps, text)
            try:
                self._run_of(name)(state, argument)
            finally:
                state.variables = outer
                state.calls -= 1

        return run
