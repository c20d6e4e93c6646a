"""The template for the last turn of a legacy rendering: cut off behind ``.Response``.

Source of the rules: Ollama, ``template/template.go`` (deleteNode).
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate_nodes import Action, Branch, Command, Field, Parenthesized, Pipeline

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate_nodes import Body, ListItem, Operand


class ServerPanic(Exception):
    """Ollama's own code runs into a conversion of nil here; the request fails."""


def cut(body: Body) -> Body:
    """Return the list up to and with the first ``.Response``; raise ServerPanic where Ollama's code does."""
    return _Cut().body(body)


class _Cut:
    """One walk over a tree, in the order in which Ollama goes."""

    def __init__(self) -> None:
        self._done = False

    def body(self, body: Body) -> Body:
        if self._done:
            raise ServerPanic("interface conversion: parse.Node is nil, not *parse.ListNode")
        kept = (self._item(node) for node in body.for_go)
        return replace(body, nodes=tuple(node for node in kept if node is not None))

    def _item(self, node: ListItem) -> ListItem | None:
        if self._done:
            return None
        if isinstance(node, Branch):
            then = self.body(node.body)
            return replace(node, body=then, otherwise=self.body(node.otherwise) if node.otherwise else None)
        if isinstance(node, Action):
            pipeline = self._pipeline(node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node

    def _pipeline(self, node: Pipeline) -> Pipeline | None:
        """Return a pipeline without what follows ``.Response``, the same one if nothing does."""
        if self._done:
            return None
        commands: list[Command] = []
        for command in node.commands:
            operands = tuple(kept for operand in command.operands if (kept := self._operand(operand)) is not None)
            if not operands:
                return None
            is_same = all(map(operator.is_, operands, command.operands)) and len(operands) == len(command.operands)
            commands.append(command if is_same else replace(command, operands=operands))
        if all(map(operator.is_, commands, node.commands)):
            return node
        return replace(node, commands=tuple(commands))

    def _operand(self, node: Operand) -> Operand | None:
        if self._done:
            return None
        if isinstance(node, Field):
            self._done = "Response" in node.names
            return node
        if isinstance(node, Parenthesized):
            pipeline = self._pipeline(node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node
