"""Which text Ollama takes for the beginning of a tool call in the model's answer.

It is the first text inside the first ``if`` that names ``.ToolCalls`` (itself, not in parentheses), up to a ``{``; without
one any JSON object is taken for a call. Source: Ollama tools/template.go (parseTag).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate.literals import SPACES
from modelsmith.syntax.gotemplate.nodes import Action, Branch, Field, If, Text

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.nodes import Body
    from modelsmith.syntax.gotemplate.tree import Tree


def tool_call_tag(tree: Tree) -> str:
    """Return the tag, ``{`` where there is none."""
    place = _calls(tree.templates[""])
    found = _text(place.body) if place else None
    tag = found.replace("\r\n", "\n").partition("{")[0].strip(SPACES) if found else ""
    return tag or "{"


def _calls(body: Body) -> If | None:
    for node in body.for_go:
        if isinstance(node, If) and _names_calls(node):
            return node
        if isinstance(node, Branch):
            inner = _calls(node.body) or (_calls(node.otherwise) if node.otherwise else None)
            if inner:
                return inner
    return None


def _names_calls(node: If) -> bool:
    operands = (operand for command in node.pipeline.commands for operand in command.operands)
    return any(isinstance(operand, Field) and "ToolCalls" in operand.names for operand in operands)


def _text(body: Body) -> str | None:
    """Return the first text that is more than white space, up to the first action; a branch ends the search."""
    for node in body.for_go:
        if isinstance(node, Text) and node.value.strip(SPACES):
            return node.value
        if isinstance(node, Branch):
            return _text(node.body) or (_text(node.otherwise) if node.otherwise else None)
        if isinstance(node, Action):
            return None
    return None
