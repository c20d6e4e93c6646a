"""A tree as text, a line a node, to be compared with files."""

from __future__ import annotations

from collections.abc import Iterator

from modelsmith.syntax.gotemplate.nodes import (
    Action,
    Block,
    Body,
    Branch,
    Chain,
    Define,
    Node,
    Parenthesized,
    Pipeline,
    TemplateCall,
    Text,
)
from modelsmith.syntax.gotemplate.printed import go_text


def outline(body: Body, text: str) -> str:
    """Return the nodes of a body: tags as they are written, and under them what they hold."""
    return "".join(f"{line}\n" for line in _body(body, text, ""))


def _body(body: Body, text: str, indent: str) -> Iterator[str]:
    for node in body.nodes:
        if isinstance(node, Text):
            written = node.span.of(text)
            yield f"{indent}Text {written!r}" + ("" if node.value == written else f" -> {node.value!r}")
        elif isinstance(node, Branch | Define | Block):
            yield f"{indent}{type(node).__name__} {node.opening.of(text)!r}"
            if not isinstance(node, Define):
                yield from _pipeline(node.pipeline, f"{indent}| ")
            yield from _body(node.body, text, f"{indent}    ")
            if isinstance(node, Branch) and node.otherwise is not None:
                yield f"{indent}Else {node.else_tag.of(text)!r}" if node.else_tag else f"{indent}Else"
                yield from _body(node.otherwise, text, f"{indent}    ")
            if node.closing:
                yield f"{indent}End {node.closing.of(text)!r}"
        else:
            yield f"{indent}{type(node).__name__} {node.span.of(text)!r}"
            if isinstance(node, Action | TemplateCall) and node.pipeline:
                yield from _pipeline(node.pipeline, f"{indent}| ")


def _pipeline(node: Pipeline, indent: str) -> Iterator[str]:
    if node.declared:
        yield f"{indent}{'sets' if node.assigns else 'declares'} {' '.join(map(go_text, node.declared))}"
    for command in node.commands:
        yield indent + " ".join(map(_operand, command.operands))


def _operand(node: Node) -> str:
    if isinstance(node, Parenthesized):
        inside = node.pipeline
        declares = "".join(f"{go_text(name)} {'=' if inside.assigns else ':='} " for name in inside.declared)
        return f"({declares}{' | '.join(' '.join(map(_operand, command.operands)) for command in inside.commands)})"
    if isinstance(node, Chain):
        return f"Chain:{_operand(node.operand)}.{'.'.join(node.names)}"
    return f"{type(node).__name__}:{go_text(node)}"
