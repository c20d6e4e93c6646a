"""Nodes as Go writes them in its error messages. Source of the rules: Go, ``text/template/parse/node.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.syntax.gotemplate.literals import quote
from modelsmith.syntax.gotemplate.nodes import (
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
    from collections.abc import Iterable, Sequence

    from modelsmith.syntax.gotemplate.nodes import Node


def go_text(node: Node) -> str:
    """Return an action, a template call, or a part of a pipeline as Go prints it: no odd spaces, literals as written."""
    written: list[str] = []
    waiting: list[str | Node] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            written.append(part)
        else:
            waiting += reversed(_parts(part))
    return "".join(written)


def _parts(node: Node) -> Sequence[str | Node]:
    """Return the texts and nodes that the text of a node is made of."""
    match node:
        case Field(names=names):
            return ("." + ".".join(names),)
        case Variable(names=names):
            return (".".join(names),)
        case Identifier(name=name):
            return (name,)
        case String(quoted=written) | Number(text=written):
            return (written,)
        case Bool(value=value):
            return ("true" if value else "false",)
        case Nil():
            return ("nil",)
        case Dot():
            return (".",)
        case Chain(operand=operand, names=names):
            return (*_argument(operand), *(f".{name}" for name in names))
        case Command(operands=operands):
            return _joined(" ", map(_argument, operands))
        case Parenthesized(pipeline=pipeline):
            return (pipeline,)
        case Pipeline():
            sign = " = " if node.assigns else " := "
            declared = (*_joined(", ", ((one,) for one in node.declared)), sign) if node.declared else ()
            return (*declared, *_joined(" | ", ((command,) for command in node.commands)))
        case Action(pipeline=pipeline):
            return ("{{", pipeline, "}}")
        case TemplateCall() | Block():
            argument = (" ", node.pipeline) if node.pipeline else ()
            return (f"{{{{template {quote(node.name)}", *argument, "}}")
    raise TypeError(f"{type(node).__name__} is not shown in error messages")


def _argument(node: Node) -> Sequence[str | Node]:
    return ("(", node, ")") if isinstance(node, Parenthesized) else (node,)


def _joined(between: str, parts: Iterable[Sequence[str | Node]]) -> Sequence[str | Node]:
    joined: list[str | Node] = []
    for part in parts:
        joined += (between, *part) if joined else part
    return joined
