"""The tokens of a chat template with their places, for whoever edits one.

jinja2 lexes; here its tokens are put back into the text they came from. What jinja2 takes away (white space that a
``-`` or a block at the beginning of a line trims, the last line end) is a token too, so that all tokens together are the text.

Source: jinja2, lexer.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

from modelsmith.errors import TemplateSyntaxError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.source import Source, Span
from modelsmith.template.jinja.transformers.sandbox import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_END = regex(r"\r\n|\r|\n")
_SPACE = regex(r"\s*")
_ENDS = {
    "variable_begin": "variable_end",
    "block_begin": "block_end",
    "comment_begin": "comment_end",
    "raw_begin": "raw_end",
}
_TRIMMING = frozenset({"block_end", "variable_end", "comment_end", "raw_begin", "raw_end"})
_KINDS = {"variable_begin": "output", "block_begin": "statement", "comment_begin": "comment", "raw_begin": "raw"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: jinja2's name for it, or ``trimmed`` for what it takes away; ``value`` is the text at ``span``."""

    kind: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Construct:
    """A piece of a template: ``text``, ``output`` ``{{ }}``, ``statement`` ``{% %}``, ``comment``, ``raw`` or ``trimmed``.

    ``tokens`` are those between the delimiters, white space left out; ``inner`` is the span between the delimiters.
    """

    kind: str
    span: Span
    inner: Span
    tokens: tuple[Token, ...]

    @property
    def keyword(self) -> str:
        """The first word of a statement: ``if``, ``for``, ``set``, ``endif`` …; "" for other kinds."""
        return self.tokens[0].value if self.kind == "statement" and self.tokens else ""


def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a chat template; their spans tile it. Raises TemplateSyntaxError where it cannot be lexed."""
    plain = _LINE_END.sub("\n", text)
    place = _Places(text)
    found: list[Token] = []
    position = 0

    def add(kind: str, end: int) -> None:
        nonlocal position
        span = Span(place[position], place[end])
        found.append(Token(kind, span.of(text), span))
        position = end

    for kind, value in _lex(plain, text):
        if not plain.startswith(value, position):
            gap = _SPACE.match(plain, position)
            start = plain.index(value, position, (gap.end() if gap else position) + len(value))
            add("trimmed", start)
        core = value.rstrip() if kind in _TRIMMING else value
        add(kind, position + len(core))
        if core != value:
            add("trimmed", position + len(value) - len(core))
    if position < len(plain):
        add("trimmed", len(plain))
    return tuple(found)


def constructs(text: str) -> tuple[Construct, ...]:
    """Return the pieces of a chat template in order; their spans tile it. Raises TemplateSyntaxError as :func:`tokens`."""
    pieces: list[Construct] = []
    stream = iter(tokens(text))
    for first in stream:
        if first.kind not in _ENDS:
            pieces.append(Construct("text" if first.kind == "data" else first.kind, first.span, first.span, ()))
            continue
        inner = []
        for last in stream:
            if last.kind == _ENDS[first.kind]:
                break
            if last.kind != "whitespace":
                inner.append(last)
        else:
            line = Source(text).position(first.span.start)[0]
            message = f"the {_KINDS[first.kind]} is never closed (line {line})"
            raise TemplateSyntaxError(message, line=line, offset=first.span.start)
        span = Span(first.span.start, last.span.end)
        pieces.append(Construct(_KINDS[first.kind], span, Span(first.span.end, last.span.start), tuple(inner)))
    return tuple(pieces)


class _Places:
    """Offsets of a text whose line ends were made one character, put back to those of the text itself."""

    def __init__(self, text: str) -> None:
        self._long = [match.start() - number for number, match in enumerate(re.finditer(r"\r\n", text))]

    def __getitem__(self, offset: int) -> int:
        return offset + bisect_left(self._long, offset)


def _lex(plain: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        for _, kind, value in environment().lexer.tokeniter(plain, None):
            yield kind, value
    except JinjaSyntaxError as error:
        starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        message = f"{error.message} (line {error.lineno})"
        raise TemplateSyntaxError(message, line=error.lineno, offset=starts[error.lineno - 1]) from None
