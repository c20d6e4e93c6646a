"""What Ollama reads off a template without running it: its variables and the tags around its thinking.

Source of the rules: Ollama, ``template/template.go`` (Vars, Identifiers) and ``thinking/template.go`` (InferTags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate.literals import SPACES, lower
from modelsmith.syntax.gotemplate.nodes import Action, Block, Branch, Field, Range, TemplateCall, Text, Variable
from modelsmith.syntax.gotemplate.tree import operands, walk_for_go

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate.nodes import Body, ListItem, Pipeline
    from modelsmith.syntax.gotemplate.tree import Tree


def variables(tree: Tree) -> tuple[str, ...]:
    """Return all names of fields and variables, in small letters and sorted; those behind parentheses are not seen.

    Raises TemplateSyntaxError for ``{{template "x"}}`` without an argument, as Ollama does when a model is created.
    """
    names = {lower(name) for body in tree.templates.values() for name in _names(body)}
    return tuple(sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape")))


def _names(body: Body) -> Iterator[str]:
    for node in walk_for_go(body):
        if isinstance(node, TemplateCall) and node.pipeline is None:
            raise TemplateSyntaxError(
                "undefined template specified",
                offset=node.start,
                hint=f'give it an argument: {{{{ template "{node.name}" . }}}}',
            )
        if isinstance(node, Action | Branch | TemplateCall | Block) and node.pipeline:
            for operand in operands(node.pipeline):
                if isinstance(operand, Field | Variable):
                    yield from operand.names


def thinking_tags(tree: Tree) -> tuple[str, str]:
    """Return the texts that open and close thinking, ``""`` where none is inferred.

    They are the first and the last text of the nearest list around ``.Thinking``, inside a range over ``.Messages``.
    """
    opening = closing = ""
    waiting: list[tuple[ListItem, tuple[ListItem, ...], Range | None]] = []

    def enter(body: Body, loop: Range | None) -> None:
        nodes = body.for_go
        waiting.extend((node, nodes, loop) for node in reversed(nodes))

    enter(tree.templates[""], None)
    while waiting:
        node, nodes, loop = waiting.pop()
        inner = node if isinstance(node, Range) else loop
        pipeline = node.pipeline if isinstance(node, Action | Branch | TemplateCall | Block) else None
        if pipeline and inner and _names_field(pipeline, "Thinking") and _names_field(inner.pipeline, "Messages"):
            opening = nodes[0].value.strip(SPACES) if isinstance(nodes[0], Text) else opening
            closing = nodes[-1].value.strip(SPACES) if isinstance(nodes[-1], Text) else closing
        if isinstance(node, Branch):
            if node.otherwise:
                enter(node.otherwise, inner)
            enter(node.body, inner)
    return opening, closing


def _names_field(pipeline: Pipeline, name: str) -> bool:
    return any(isinstance(operand, Field) and operand.names[0] == name for operand in operands(pipeline))
