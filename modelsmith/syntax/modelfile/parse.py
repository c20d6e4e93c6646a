"""From text to nodes: the tree that the grammar gives, as dataclasses with spans and diagnostics.

Source: Ollama ``parser/parser.go`` (``ParseFile``).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.patterns import regex
from modelsmith.source import Span
from modelsmith.syntax.modelfile.nodes import Comment, Fault, Flaw, Instruction, Node, Unreadable
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, ROLES

if TYPE_CHECKING:
    from lark import Lark, Token

    from modelsmith.syntax.modelfile.text import Characters

_TRIPLE_OPENING = regex(r'"\0*"\0*"')
_FIRST_WORD = regex(r".\x01*[A-Za-z]*", re.DOTALL)
_NAME = {"PARAMETER": regex(r"[A-Za-z0-9_]*"), "MESSAGE": regex(r"[A-Za-z]*")}


class _Builder:
    """What the rules of the grammar make: an instruction is the list of its tokens, the file that of its items."""

    @staticmethod
    def start(parts: list[Token | list[Token]]) -> list[Token | list[Token]]:
        return parts

    directive = parameter = message = unknown = start


@cache
def _parser() -> Lark:
    from modelsmith.syntax.tables.grammar import parser

    return parser("modelfile", values=_Builder, retype={"WORD": _kind})


def _kind(word: str) -> str:
    row = INSTRUCTIONS.get(word[:-1].upper())
    return row.shape.value if row else "WORD"


def parsed(masked: str) -> list[Token | list[Token]]:
    """Return what a text consists of, instructions as lists of their tokens; all tokens, joined, are the text."""
    items: Any = _parser().parse(masked)
    found: list[Token | list[Token]] = items
    return found


def nodes_of(text: str, characters: Characters) -> tuple[Node, ...]:
    """Return the nodes of a text in order."""
    nodes: list[Node] = []
    for child in parsed(characters.masked):
        if isinstance(child, list):
            nodes.append(_instruction(child, text, characters))
        elif child.type == "COMMENT":
            span = _span(child)
            nodes.append(Comment(span.of(text), span))
        elif child.type == "JUNK":
            span = _span(child)
            match = _FIRST_WORD.match(child)
            stop = span.start + (match.end() if match else 0)
            nodes.append(Unreadable(span.of(text), span, Fault(Flaw.NOT_AN_INSTRUCTION, stop)))
    return tuple(nodes)


def _place(token: Token) -> tuple[int, int]:
    return token.start_pos or 0, token.end_pos or 0


def _span(token: Token) -> Span:
    return Span(*_place(token))


def _instruction(tokens: list[Token], text: str, characters: Characters) -> Instruction:
    if tokens[0].type == "DROPPED":
        tokens = tokens[1:]
    word, end = tokens[0], _place(tokens[-1])[1]
    keyword = _word(word)
    name, is_whole = _name(word, tokens[1:2]) if word.type in _NAME else (None, True)
    quoted, value, quote = _value(tokens, end)
    return Instruction(
        keyword=keyword.of(text).upper(),
        name=name.of(text) if name else "",
        value=characters.value(value.of(text)),
        quote=quote,
        span=Span(keyword.start, end),
        keyword_span=keyword,
        name_span=name,
        value_span=value,
        quoted_span=quoted,
        fault=_fault(tokens, keyword, name, is_whole=is_whole, is_role=not name or name.of(text) in ROLES),
    )


def _word(token: Token) -> Span:
    """Return where a word is without the blank that ends it."""
    start, end = _place(token)
    return Span(start, end - 1)


def _name(word: Token, following: list[Token]) -> tuple[Span, bool]:
    """Return where the name or role is, and whether a blank ends it."""
    if not following:
        end = _place(word)[1]
        return Span(end, end), False
    token = following[0]
    if token.type != "JUNK":
        return _word(token), True
    match = _NAME[word.type].match(token)
    start = _place(token)[0]
    return Span(start, start + (match.end() if match else 0)), False


def _value(tokens: list[Token], end: int) -> tuple[Span, Span, str]:
    """Return where the value is with and without its quotes, and the quotes."""
    for place, token in enumerate(tokens):
        match token.type:
            case "BARE" | "REST":
                return _span(token), _span(token), ""
            case "TRIPLE_OPEN" | "QUOTE_OPEN":
                opening, closing = _span(token), _span(tokens[-1])
                quote = '"""' if token.type == "TRIPLE_OPEN" else '"'
                return Span(opening.start, closing.end), Span(opening.end, closing.start), quote
            case "UNCLOSED" | "UNCLOSED_TRIPLE":
                span, triple = _span(token), _TRIPLE_OPENING.match(token)
                width, quote = (triple.end(), '"""') if triple else (1, '"')
                return span, Span(span.start + width, span.end), quote
            case "JUNK":
                start = _name(tokens[0], tokens[place:])[0].end
                return Span(start, end), Span(start, end), ""
            case _:
                pass
    return Span(end, end), Span(end, end), ""


def _fault(tokens: list[Token], keyword: Span, name: Span | None, *, is_whole: bool, is_role: bool) -> Fault | None:
    if tokens[0].type == "WORD":
        return Fault(Flaw.UNKNOWN_INSTRUCTION, keyword.end)
    if name and not is_whole:
        return Fault(Flaw.BROKEN_NAME, name.end)
    if name and tokens[0].type == "MESSAGE" and not is_role:
        return Fault(Flaw.INVALID_ROLE, name.end)
    return Fault(Flaw.UNCLOSED_QUOTE, _place(tokens[-1])[0]) if tokens[-1].type == "UNCLOSED" else None
