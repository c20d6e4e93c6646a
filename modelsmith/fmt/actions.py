"""The layout inside ``{{ }}`` as edits: blanks between Go's tokens, and nothing else.

Texts, strings, comments, trim markers and line breaks stay; so does a field that sticks to its operand (``(index .A 0).B``).
Source of the rules: Go, ``text/template/parse/lex.go``, which skips blanks between the tokens of an action.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.source import Edit, Span
from modelsmith.syntax.gotemplate.lexer import lex

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_END = re.compile(r"[\r\n]")
_TRAILING = re.compile(r"[ \t]+(?=[\r\n])")
_OPERANDS = frozenset(("RPAR", "IDENTIFIER", "VARIABLE", "FIELD"))
"""What a field can stick to; where a blank stands between them, it is an operand of its own."""

_TRIM_WIDTH = 4
"""``{{- `` and `` -}}`` as Go's tokens: with the blank that makes the hyphen a trim marker."""


class Token(NamedTuple):
    """One token of Go without the blanks around it; ``sticks``: it is a field right behind its operand."""

    kind: str
    written: str
    sticks: bool
    span: Span


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a template; equal ones (spans aside) in the same order are the same template."""
    operand_end = -1
    for lexeme in lex(text):
        kind, start, end = lexeme.kind, lexeme.start, lexeme.end
        is_trim = kind in {"OPEN", "CLOSE"} and end - start == _TRIM_WIDTH
        span = Span(start + (is_trim and kind == "CLOSE"), end - (is_trim and kind == "OPEN"))
        yield Token(kind, span.of(text), kind == "FIELD" and start == operand_end, span)
        operand_end = end if kind in _OPERANDS else -1


def action_edits(text: str) -> Iterator[Edit]:
    """Yield what brings the actions of a template that Go accepts into their form."""
    before: Token | None = None
    for token in tokens(text):
        if before is not None and before.kind not in {"TEXT", "COMMENT", "CLOSE"} and token.kind != "EOF":
            gap = Span(before.span.end, token.span.start)
            wanted = _gap(before, token, gap.of(text))
            if gap.of(text) != wanted:
                yield Edit(gap, wanted)
        before = token


def _gap(before: Token, token: Token, written: str) -> str:
    if _LINE_END.search(written):
        return _TRAILING.sub("", written)
    return "" if before.kind == "LPAR" or token.kind == "RPAR" or token.written == "," or token.sticks else " "
