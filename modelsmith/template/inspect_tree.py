"""What Ollama reads off a template without running it: its variables and the tags around its thinking.

Source of the rules: Ollama, ``template/template.go`` (Vars, Identifiers) and ``thinking/template.go`` (InferTags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate_literals import SPACES, lower
from modelsmith.syntax.gotemplate_nodes import (
    Action,
    Block,
    Branch,
    Field,
    Parenthesized,
    Range,
    TemplateCall,
    Text,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate import Tree
    from modelsmith.syntax.gotemplate_nodes import Body, Pipeline


def variables(tree: Tree) -> tuple[str, ...]:
    """Return all names of fields and variables, in small letters and sorted; those behind parentheses are not seen.

    Raises TemplateSyntaxError for ``{{template "x"}}`` without an argument, as Ollama does when a model is created.
    """
    names = {lower(name) for body in tree.templates.values() for name in _names(body)}
    return tuple(sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape")))


def _names(body: Body) -> Iterator[str]:
    for node in body.for_go:
        if isinstance(node, TemplateCall) and node.pipeline is None:
            raise TemplateSyntaxError(
                "undefined template specified",
                offset=node.start,
                hint=f'give it an argument: {{{{ template "{node.name}" . }}}}',
            )
        if isinstance(node, Action | Branch | TemplateCall | Block) and node.pipeline:
            yield from _names_in(node.pipeline)
        if isinstance(node, Branch):
            yield from _names(node.body)
            if node.otherwise:
                yield from _names(node.otherwise)


def _names_in(node: Pipeline) -> Iterator[str]:
    for command in node.commands:
        for operand in command.operands:
            if isinstance(operand, Field | Variable):
                yield from operand.names
            elif isinstance(operand, Parenthesized):
                yield from _names_in(operand.pipeline)


def thinking_tags(tree: Tree) -> tuple[str, str]:
    """Return the texts that open and close thinking, ``""`` where none is inferred.

    They are the first and the last text of the nearest list around ``.Thinking``, inside a range over ``.Messages``.
    """
    tags = {"opening": "", "closing": ""}

    def visit(body: Body, loop: Range | None) -> None:
        nodes = body.for_go
        for node in nodes:
            if isinstance(node, Action | Branch | TemplateCall | Block) and node.pipeline:
                inner = node if isinstance(node, Range) else loop
                uses = sum(1 for names in _fields_in(node.pipeline) if names[0] == "Thinking")
                if uses and inner is not None and any(names[0] == "Messages" for names in _fields_in(inner.pipeline)):
                    if isinstance(nodes[0], Text):
                        tags["opening"] = nodes[0].value.strip(SPACES)
                    if isinstance(nodes[-1], Text):
                        tags["closing"] = nodes[-1].value.strip(SPACES)
            if isinstance(node, Branch):
                visit(node.body, node if isinstance(node, Range) else loop)
                if node.otherwise:
                    visit(node.otherwise, node if isinstance(node, Range) else loop)

    visit(tree.templates[""], None)
    return tags["opening"], tags["closing"]


def _fields_in(node: Pipeline) -> Iterator[tuple[str, ...]]:
    for command in node.commands:
        for operand in command.operands:
            if isinstance(operand, Field):
                yield operand.names
            elif isinstance(operand, Parenthesized):
                yield from _fields_in(operand.pipeline)
