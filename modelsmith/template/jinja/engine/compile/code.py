"""What a tree is compiled into: functions that are called for each rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.values.model import UNDEFINED, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.template.jinja.engine.budget import Run
    from modelsmith.template.jinja.engine.functions.arguments import Variables
    from modelsmith.template.jinja.engine.tree.nodes import Node

Code = Callable[["Variables", "Run"], Value]
"""Runs an expression on the variables that it sees, and returns its value."""

Writer = Callable[["Variables", "Run", list[str]], None]
"""Runs a statement on the variables that it sees, and adds what it prints to the texts."""


def constant(value: Value) -> Code:
    """Return the code that always gives the same value."""

    def run_constant(_: Variables, __: Run) -> Value:
        return value

    return run_constant


class Compiler:
    """Compiles the nodes of one template by tables of rules, one a kind of node; what is no statement is ``printed``.

    ``watching``: variables that are watched notice that they are read. ``in_parts``: texts remember what they were put together
    from, which only ``capitalize`` and ``title`` can tell.
    """

    def __init__(
        self,
        words: frozenset[str],
        rules: Mapping[type[Node], Callable[[Compiler, Any], Code]],
        statements: Mapping[type[Node], Callable[[Compiler, Any], Writer]],
        printed: Callable[[Code], Writer],
        *,
        watching: bool,
    ) -> None:
        self._words = words
        self._rules = rules
        self._statements = statements
        self._printed = printed
        self.watching = watching
        self.in_parts = not words.isdisjoint({"capitalize", "title"})

    def mentions(self, word: str) -> bool:
        """Say whether a word is in the template at all."""
        return word in self._words

    def code(self, node: Node) -> Code:
        """Compile an expression."""
        rule = self._rules.get(type(node))
        return rule(self, node) if rule else constant(UNDEFINED)

    def writer(self, node: Node) -> Writer:
        """Compile a statement, or an expression that is printed."""
        rule = self._statements.get(type(node))
        return rule(self, node) if rule else self._printed(self.code(node))
