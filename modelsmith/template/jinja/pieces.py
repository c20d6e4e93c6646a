"""The pieces of a chat template with their places, for whoever edits one.

The lexer of the engine cuts, as llama.cpp does; here what it finds is put back into the text it came from. What it takes away
(white space that a ``-`` or a block trims, a line break behind a block, the last line end) is a piece too, so that all pieces
together are the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateSyntaxError
from modelsmith.records import dataclass
from modelsmith.source import Source, Span
from modelsmith.template.jinja.engine.tree.lexer import (
    CLOSE_EXPRESSION,
    CLOSE_STATEMENT,
    COMMENT,
    OPEN_EXPRESSION,
    OPEN_STATEMENT,
    STRING,
    TEXT,
    Token,
    Unreadable,
    tokenize,
)
from modelsmith.template.jinja.engine.values.texts import from_bytes, to_bytes, with_plain_line_ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLOSING = {OPEN_STATEMENT: CLOSE_STATEMENT, OPEN_EXPRESSION: CLOSE_EXPRESSION}
_KINDS = {OPEN_STATEMENT: "statement", OPEN_EXPRESSION: "output"}
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a template: ``text``, ``output`` ``{{ }}``, ``statement`` ``{% %}``, ``comment`` or ``trimmed``.

    ``words`` are the names, numbers and signs between the delimiters, "" in the place of a string.
    """

    kind: str
    span: Span
    words: tuple[str, ...] = ()

    @property
    def keyword(self) -> str:
        """The first word of a statement: ``if``, ``for``, ``set``, ``endif`` …; "" for other kinds."""
        return self.words[0] if self.kind == "statement" and self.words else ""


def pieces(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a chat template in order; their spans tile it. Raises TemplateSyntaxError where it cannot be cut."""
    plain = with_plain_line_ends(to_bytes(text))
    source = plain.removesuffix("\n") if text.endswith("\n") else plain
    places = _places(text, plain)
    try:
        found = list(_cut(source, tokenize(source)))
    except Unreadable as problem:
        raise _unreadable(text, from_bytes(problem.message), places[problem.position]) from None
    end = found[-1][1] if found else 0
    if end < len(source):
        kind = "statement" if source.startswith("{%", end) else "output"
        raise _unreadable(text, f"the {kind} is never closed", places[end])
    if end < len(plain):
        found.append(("trimmed", len(plain), ()))
    starts = [0, *(end for _, end, _ in found)]
    return tuple(
        Piece(kind, Span(places[start], places[end]), words)
        for start, (kind, end, words) in zip(starts, found, strict=False)
    )


def _unreadable(text: str, message: str, offset: int) -> TemplateSyntaxError:
    line = Source(text).position(offset)[0]
    return TemplateSyntaxError(f"{message} (line {line})", line=line, offset=offset)


def _cut(source: str, tokens: Sequence[Token]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield the kind, the end and the words of each piece that is whole."""
    position = 0
    shown = ""
    stream = iter(tokens)
    for first in stream:
        if first.kind == TEXT:
            shown = first.value
            continue
        yield from _between(source, position, first.start, shown)
        shown, position = "", first.start
        if first.kind == COMMENT:
            position += len(first.value) + len("{##}")
            yield "comment", position, ()
            continue
        inner: list[str] = []
        for last in stream:
            if last.kind == _CLOSING[first.kind]:
                position = last.start + len(last.value)
                yield _KINDS[first.kind], position, tuple(inner)
                break
            inner.append("" if last.kind == STRING else last.value)
        else:
            return
    yield from _between(source, position, len(source), shown)


def _between(source: str, start: int, end: int, shown: str) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield what stands between two blocks: ``shown`` is what is left of it."""
    whole = source[start:end]
    if not shown:
        if whole:
            yield "trimmed", end, ()
        return
    before = source[start - 3 : start] if start > len("-%}") else ""
    if before in {"-%}", "-}}", "-#}"}:
        cut = len(whole) - len(whole.lstrip(_SPACE))
    else:
        cut = int(before[1:] in {"#}", "%}", "-}"} and whole.startswith("\n"))
    if cut:
        yield "trimmed", start + cut, ()
    yield "text", start + cut + len(shown), ()
    if start + cut + len(shown) < end:
        yield "trimmed", end, ()


def _places(text: str, plain: str) -> Sequence[int]:
    """Return where each byte of the plain text stands in the text, and the end."""
    if len(plain) == len(text):
        return range(len(text) + 1)
    places: list[int] = []
    for place, char in enumerate(text):
        if char == "\n" and text[place - 1 : place] == "\r":
            continue
        places += [place] * len(to_bytes(char))
    return [*places, len(text)]
