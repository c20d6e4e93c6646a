"""Nodes as Go writes them in its error messages. Source of the rules: Go, ``text/template/parse/node.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate_literals import quote
from modelsmith.syntax.gotemplate_nodes import (
    Action,
    Block,
    Bool,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Nil,
    Number,
    Parenthesized,
    Pipeline,
    String,
    TemplateCall,
    Variable,
)

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate_nodes import Node


def go_text(node: Node) -> str:
    """Return an action, a template call, or a part of a pipeline as Go prints it: no odd spaces, literals as written."""
    match node:
        case Field(names=names):
            return "." + ".".join(names)
        case Variable(names=names):
            return ".".join(names)
        case Identifier(name=name):
            return name
        case String(quoted=written) | Number(text=written):
            return written
        case Bool(value=value):
            return "true" if value else "false"
        case Nil():
            return "nil"
        case Dot():
            return "."
        case Chain(operand=operand, names=names):
            return ".".join((_argument(operand), *names))
        case Command(operands=operands):
            return " ".join(map(_argument, operands))
        case Parenthesized(pipeline=pipeline):
            return go_text(pipeline)
        case Pipeline():
            declared = (
                ", ".join(map(go_text, node.declared)) + (" = " if node.assigns else " := ") if node.declared else ""
            )
            return declared + " | ".join(map(go_text, node.commands))
        case Action(pipeline=pipeline):
            return f"{{{{{go_text(pipeline)}}}}}"
        case TemplateCall() | Block():
            return f"{{{{template {quote(node.name)}{f' {go_text(node.pipeline)}' if node.pipeline else ''}}}}}"
    raise TypeError(f"{type(node).__name__} is not shown in error messages")


def _argument(node: Node) -> str:
    return f"({go_text(node)})" if isinstance(node, Parenthesized) else go_text(node)
