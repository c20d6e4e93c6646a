"""How Ollama renders a legacy template: turn by turn, and for the last turn cut off behind ``.Response``.

Source of the rules: Ollama, ``template/template.go`` (Execute, deleteNode).
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate.nodes import Action, Command, Field, If, Parenthesized, Pipeline, Range, With
from modelsmith.template.go.deep import Levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.syntax.gotemplate.nodes import Body, ListItem, Operand
    from modelsmith.template.conversation.message import Message


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
    return _Cut().body(body)


class _Cut:
    """One walk over a tree, in the order in which Ollama goes."""

    def __init__(self) -> None:
        self._done = False
        self._levels = Levels()

    def body(self, body: Body) -> Body:
        return self._levels.deeper(self._body, None, body)

    def _body(self, body: Body) -> Body:
        self._refuse_if_done()
        kept = [self._item(node) for node in body.for_go]
        return replace(body, nodes=tuple(node for node in kept if node is not None))

    def _refuse_if_done(self) -> None:
        if self._done:
            raise ServerPanic("interface conversion: parse.Node is nil, not *parse.ListNode")

    def _item(self, node: ListItem) -> ListItem | None:
        if self._done:
            return None
        if isinstance(node, If | With | Range):
            return self._branch(node)
        if isinstance(node, Action):
            pipeline = self._pipeline(node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node

    def _branch(self, node: If | With | Range) -> ListItem:
        """Cut an if, with or range, and those that are its else: however many there are, they are one level."""
        links = [(node, self.body(node.body))]
        while (following := _only_branch(links[-1][0].otherwise)) is not None:
            self._refuse_if_done()
            links.append((following, self.body(following.body)))
        last = links[-1][0].otherwise
        otherwise = self.body(last) if last else None
        while True:
            link, then = links.pop()
            changed = replace(link, body=then, otherwise=otherwise)
            if not links:
                return changed
            around = links[-1][0].otherwise
            otherwise = replace(around, nodes=(changed,)) if around else None

    def _pipeline(self, node: Pipeline) -> Pipeline | None:
        """Return a pipeline without what follows ``.Response``, the same one if nothing does."""
        if self._done:
            return None
        commands: list[Command] = []
        for command in node.commands:
            operands = tuple([kept for operand in command.operands if (kept := self._operand(operand)) is not None])
            if not operands:
                return None
            is_same = all(map(operator.is_, operands, command.operands)) and len(operands) == len(command.operands)
            commands.append(command if is_same else replace(command, operands=operands))
        if all(map(operator.is_, commands, node.commands)):
            return node
        return replace(node, commands=tuple(commands))

    def _operand(self, node: Operand) -> Operand | None:
        if isinstance(node, Field) and "Response" in node.names:
            self._done = True
            return node  # Ollama keeps each .Response of the action that it cuts, not the first one alone
        if self._done:
            return None
        if isinstance(node, Parenthesized):
            pipeline = self._levels.deeper(self._pipeline, None, node.pipeline)
            if pipeline is None or pipeline is node.pipeline:
                return None if pipeline is None else node
            return replace(node, pipeline=pipeline)
        return node


def _only_branch(body: Body | None) -> If | With | Range | None:
    """Return the branch that is all there is in an else."""
    nodes = body.for_go if body else ()
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], If | With | Range) else None
