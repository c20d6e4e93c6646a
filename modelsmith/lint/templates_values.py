"""Values that a template prints whole: lists and maps, whose text depends on Ollama's types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate import walk
from modelsmith.syntax.gotemplate_nodes import Action, Field, Variable

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate_nodes import Node
    from modelsmith.template.template import Template

_WHOLE = {"Tools", "ToolCalls", "Arguments", "Function", "Parameters", "Properties"}


def prints_without_json(template: Template) -> Node | None:
    """Return the first action that prints tools or their parts without the function json; None where there is none."""
    for body in template.tree.templates.values():
        for node in walk(body):
            if isinstance(node, Action) and not node.pipeline.declared and len(node.pipeline.commands) == 1:
                operands = node.pipeline.commands[0].operands
                first = operands[0]
                if len(operands) == 1 and isinstance(first, Field | Variable) and first.names[-1] in _WHOLE:
                    return node
    return None
