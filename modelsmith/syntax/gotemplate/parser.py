"""What the rules of ``gotemplate.lark`` make of their parts: one method a rule, called while lark parses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import lark

from modelsmith.errors import TemplateSyntaxError
from modelsmith.source import Span
from modelsmith.syntax.gotemplate.lexer import Lexeme
from modelsmith.syntax.gotemplate.nodes import (
    Action,
    Block,
    Body,
    Branch,
    Chain,
    Command,
    Define,
    If,
    Parenthesized,
    Pipeline,
    Range,
    TemplateCall,
    Variable,
    With,
)
from modelsmith.syntax.gotemplate.scanner import Scanner
from modelsmith.syntax.tables.grammar import declared_parser

if TYPE_CHECKING:
    from collections.abc import Iterator


def _body(nodes: list[Any], start: int) -> Body:
    return Body(start, nodes[-1].end if nodes else start, tuple(nodes))


def _branch(kind: type[Branch], parts: list[Any]) -> Branch:
    """Build from opening, pipeline, close, nodes, and perhaps an else (its tag and its body) and an end."""
    opening, pipeline, close, nodes, *rest = parts
    end = rest.pop() if rest and isinstance(rest[-1], Lexeme) else None
    else_tag, otherwise = rest[0] if rest else (None, None)
    body = _body(nodes, close.end)
    return kind(
        opening.start,
        (end or otherwise or body).end,
        Span(opening.start, close.end),
        pipeline,
        body,
        else_tag,
        otherwise,
        Span(end.start, end.end) if end else None,
    )


class Builder:
    """The tree, from the bottom up. The methods are named after the grammar's rules and aliases."""

    def none(self, _parts: list[Any]) -> list[Any]:
        """Begin a list."""
        return []

    def one(self, parts: list[Any]) -> list[Any]:
        """Begin a list with what it cannot be without."""
        return parts

    def more(self, parts: list[Any]) -> list[Any]:
        """Add to a list."""
        nodes: list[Any] = parts[0]
        nodes.append(parts[1])
        return nodes

    def start(self, parts: list[Any]) -> Body:
        """``nodes EOF``."""
        return _body(parts[0], 0)

    def action(self, parts: list[Any]) -> Action:
        """``{{ pipeline }}``."""
        return Action(parts[0].start, parts[2].end, parts[1])

    def if_then(self, parts: list[Any]) -> Branch:
        """``{{if pipeline}} nodes {{end}}``."""
        return _branch(If, parts)

    def with_then(self, parts: list[Any]) -> Branch:
        """``{{with pipeline}} nodes {{end}}``."""
        return _branch(With, parts)

    def range_then(self, parts: list[Any]) -> Branch:
        """``{{range pipeline}} nodes {{end}}``."""
        return _branch(Range, parts)

    if_else = if_then
    with_else = with_then
    range_else = range_then

    def otherwise(self, parts: list[Any]) -> tuple[Span, Body]:
        """``{{else}} nodes``."""
        tag, nodes = parts
        return Span(tag.start, tag.end), _body(nodes, tag.end)

    def nested_if(self, parts: list[Any]) -> tuple[None, Body]:
        """``{{else if pipeline}} nodes``: a body that holds one If."""
        branch = _branch(If, parts)
        return None, _body([branch], branch.start)

    def nested_with(self, parts: list[Any]) -> tuple[None, Body]:
        """``{{else with pipeline}} nodes``: a body that holds one With."""
        branch = _branch(With, parts)
        return None, _body([branch], branch.start)

    def define(self, parts: list[Any]) -> Define:
        """``{{define "name"}} nodes {{end}}``."""
        tag, nodes, end = parts
        closing = Span(end.start, end.end)
        return Define(tag.start, end.end, Span(tag.start, tag.end), tag.name, _body(nodes, tag.end), closing)

    def block(self, parts: list[Any]) -> Block:
        """``{{block "name" pipeline}} nodes {{end}}``."""
        tag, pipeline, close, nodes, end = parts
        opening, closing = Span(tag.start, close.end), Span(end.start, end.end)
        body = _body(nodes, close.end)
        return Block(tag.start, end.end, opening, tag.name, tag.name_start, pipeline, body, closing)

    def call(self, parts: list[Any]) -> TemplateCall:
        """``{{template "name" pipeline}}``."""
        tag = parts[0]
        return TemplateCall(tag.start, parts[-1].end, tag.name, tag.name_start, parts[1] if len(parts) == 3 else None)

    def single(self, parts: list[Any]) -> Pipeline:
        """``command``."""
        (command,) = parts
        return Pipeline(command.start, command.end, (), False, (command,))

    def piped(self, parts: list[Any]) -> Pipeline:
        """``command | command …``."""
        first, others = parts
        return Pipeline(first.start, others[-1].end, (), False, (first, *others))

    def declaring(self, parts: list[Any]) -> Pipeline:
        """``$x := command | command …``."""
        (assigns, variables), commands = parts
        return Pipeline(variables[0].start, commands[-1].end, variables, assigns, tuple(commands))

    def declaration(self, parts: list[Any]) -> tuple[bool, tuple[Variable, ...]]:
        """``$x :=`` or ``$i, $e :=``."""
        return False, tuple(Variable(mark.start, mark.end, (mark.name,)) for mark in parts if mark.type == "DECLARED")

    half_declaration = declaration

    def assignment(self, parts: list[Any]) -> tuple[bool, tuple[Variable, ...]]:
        """``$x =`` or ``$i, $e =``."""
        return True, self.declaration(parts)[1]

    def command(self, parts: list[Any]) -> Command:
        """``operand operand …``."""
        first = parts[0]
        if len(parts) == 1:
            return Command(first.start, first.end, (first,))
        others = parts[1]
        return Command(first.start, others[-1].end, (first, *others))

    def parenthesized(self, parts: list[Any]) -> Parenthesized:
        """``(pipeline)``."""
        return Parenthesized(parts[0].start, parts[2].end, parts[1])

    def chain(self, parts: list[Any]) -> Chain:
        """``(pipeline).A.B``."""
        return Chain(parts[0].start, parts[1].end, parts[0], tuple(parts[1].name.split(".")))


class _Lexer(lark.lexer.Lexer):
    """What cuts a template for lark: Go's own rules, see ``scanner``."""

    __future_interface__ = 1

    def __init__(self, _conf: object) -> None:
        """Take nothing from lark's configuration."""

    def lex(self, state: Any, _parser_state: object) -> Iterator[Any]:
        """Yield the terminals of a text; lark asks the last one where the text ends."""
        text: str = state.text.text
        *terminals, end = Scanner(text).terminals()
        yield from terminals
        yield lark.Token("EOF", "", start_pos=end.start, line=0, column=0, end_line=0, end_column=0, end_pos=end.end)


@cache
def _parser() -> lark.Lark:
    return declared_parser("gotemplate", values=Builder(), lexer=_Lexer)


def build(text: str) -> Body:
    """Return the tree of ``text``; raise TemplateSyntaxError, with Go's words, where Go does not accept it."""
    try:
        return cast("Body", _parser().parse(text))
    except lark.UnexpectedToken as unexpected:  # the scanner and the grammar disagree
        raise TemplateSyntaxError(
            f"template: unexpected {unexpected.token.type}", offset=getattr(unexpected.token, "start", None)
        ) from unexpected
