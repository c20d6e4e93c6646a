"""How Ollama renders a legacy template: turn by turn, and for the last turn cut off behind ``.Response``.

Source of the rules: Ollama, ``template/template.go`` (Execute, deleteNode).
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate.nodes import Action, Command, Field, If, Parenthesized, Pipeline, Range, With
from modelsmith.template.go.deep import walked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.syntax.gotemplate.nodes import Body, ListItem, Operand
    from modelsmith.template.conversation.message import Message
    from modelsmith.template.go.deep import Walk


def turns(messages: Iterable[Message]) -> Iterator[tuple[dict[str, str], bool]]:
    """Yield the ``.System``, ``.Prompt`` and ``.Response`` of each turn, and whether it is the last."""
    system = prompt = response = ""
    for message in messages:
        role = message.role
        if (role == "user" and response) or (role == "system" and (prompt or response)):
            yield {"System": system, "Prompt": prompt, "Response": response}, False
            system = prompt = response = ""
        if role == "user":
            prompt = message.content
        elif role == "assistant":
            response = message.content
        elif role == "system":
            system = message.content
    yield {"System": system, "Prompt": prompt, "Response": response}, True


class ServerPanic(Exception):
    """Ollama's own code runs into a conversion of nil here; the request fails."""


def cut(body: Body) -> Body:
    """Return the list up to and with the first ``.Response``; raise ServerPanic where Ollama's code does."""
    kept: Body = walked(_Cut().body(body))
    return kept


class _Cut:
    """One walk over a tree, in the order in which Ollama goes; each method returns what is left of its node, or None."""

    def __init__(self) -> None:
        self._done = False

    def body(self, body: Body) -> Walk:
        self._refuse_if_done()
        kept: list[ListItem] = []
        for node in body.for_go:
            item = yield self._item(node)
            kept += [] if item is None else [item]
        return replace(body, nodes=tuple(kept))

    def _refuse_if_done(self) -> None:
        if self._done:
            raise ServerPanic("interface conversion: parse.Node is nil, not *parse.ListNode")

    def _item(self, node: ListItem) -> Walk:
        if self._done:
            return None
        if isinstance(node, If | With | Range):
            return (yield self._branch(node))
        if isinstance(node, Action):
            pipeline = yield self._pipeline(node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node

    def _branch(self, node: If | With | Range) -> Walk:
        """Cut an if, with or range, and those that are its else: however many there are, they are one level."""
        links = [(node, (yield self.body(node.body)))]
        while (following := _only_branch(links[-1][0].otherwise)) is not None:
            self._refuse_if_done()
            links.append((following, (yield self.body(following.body))))
        last = links[-1][0].otherwise
        otherwise = (yield self.body(last)) if last else None
        while True:
            link, then = links.pop()
            changed = replace(link, body=then, otherwise=otherwise)
            if not links:
                return changed
            around = links[-1][0].otherwise
            otherwise = replace(around, nodes=(changed,)) if around else None

    def _pipeline(self, node: Pipeline) -> Walk:
        """Return a pipeline without what follows ``.Response``, the same one if nothing does."""
        if self._done:
            return None
        commands: list[Command] = []
        for command in node.commands:
            kept: list[Operand] = []
            for operand in command.operands:
                left = yield self._operand(operand)
                kept += [] if left is None else [left]
            operands = tuple(kept)
            if not operands:
                return None
            is_same = all(map(operator.is_, operands, command.operands)) and len(operands) == len(command.operands)
            commands.append(command if is_same else replace(command, operands=operands))
        if all(map(operator.is_, commands, node.commands)):
            return node
        return replace(node, commands=tuple(commands))

    def _operand(self, node: Operand) -> Walk:
        if isinstance(node, Field) and "Response" in node.names:
            self._done = True
            return node  # Ollama keeps each .Response of the action that it cuts, not the first one alone
        if self._done:
            return None
        if isinstance(node, Parenthesized):
            pipeline = yield self._pipeline(node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node


def _only_branch(body: Body | None) -> If | With | Range | None:
    """Return the branch that is all there is in an else."""
    nodes = body.for_go if body else ()
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], If | With | Range) else None
