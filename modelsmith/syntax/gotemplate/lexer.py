"""Cut a Go template into Go's tokens.

One regular expression takes what is common; ``_slow`` follows Go's rules rune by rune for the rest, errors included.
Source of the rules: Go, ``text/template/parse/lex.go``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.patterns import regex
from modelsmith.syntax.gotemplate.literals import code_point, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = " \t\r\n"
KEYWORDS = frozenset(("block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with"))
_TERMINATORS = SPACE + ".,|:()"
_INSIDE = regex(
    r"""(?P<CLOSE>[ \t\r\n]+-}}|[ \t\r\n]*}})
    |[ \t\r\n]*(?:
    (?P<FIELD>(?:\.[A-Za-z_][A-Za-z0-9_]*)+(?=[ \t\r\n,|:()]|}}|\Z))
    |(?P<WORD>[A-Za-z_][A-Za-z0-9_]*(?=[ \t\r\n.,|:()]|}}|\Z))
    |(?P<STRING>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)
    |(?P<VARIABLE>\$[A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?=[ \t\r\n,|:()]|}}|\Z))
    |(?P<MARK>:=|[=|()])
    |(?P<DOT>\.(?=[ \t\r\n,|:()]|}}))
    |(?P<CHAR>,)
    |(?P<NUMBER>[1-9][0-9]*(?=[ \t\r\n|)]|}}|\Z)|0(?=[ \t\r\n|)]|}}|\Z))
    |(?P<ODD>))""",
    re.VERBOSE,
)
_KINDS = ("", *sorted(_INSIDE.groupindex, key=_INSIDE.groupindex.__getitem__))
_ODD = _INSIDE.groupindex["ODD"]
_OPENING = regex(r"{{(?:-[ \t\r\n])?")
_WORDS = {word: word.upper() for word in KEYWORDS} | {"true": "BOOL", "false": "BOOL"}
_MARKS = {":=": "DECLARE", "=": "ASSIGN", "|": "PIPE", "(": "LPAR", ")": "RPAR"}


class Lexeme(NamedTuple):
    """One token: what it is, where, and for an ERROR Go's words."""

    kind: str
    start: int
    end: int
    error: str = ""

    @property
    def type(self) -> str:
        """What lark calls the kind."""
        return self.kind

    @property
    def place(self) -> int:
        """Where Go says the token is: of a CLOSE, behind its trim marker."""
        return self.end - 2 if self.kind == "CLOSE" else self.start


def lex(text: str) -> Iterator[Lexeme]:
    """Yield the tokens without the spaces, up to EOF or the first ERROR.

    TEXT covers what is written, trimmed or not. OPEN and CLOSE include the trim markers.
    """
    position = 0
    find_opening, match_inside, new = _OPENING.search, _INSIDE.match, tuple.__new__  # twice as fast as Lexeme(…)
    while True:
        opening = find_opening(text, position)
        if opening is None:
            break
        delimiter, behind = opening.span()
        if delimiter > position:
            yield new(Lexeme, ("TEXT", position, delimiter, ""))
        position = behind
        if text.startswith("/*", position):
            comment = _comment(text, delimiter, position)
            yield comment
            if comment.kind == "ERROR":
                return
            position = comment.end
            continue
        yield new(Lexeme, ("OPEN", delimiter, position, ""))
        depth = 0
        while True:
            match = match_inside(text, position)
            group = (match and match.lastindex) or _ODD
            if match is None or group == _ODD:
                lexeme = _slow(text, match.end() if match else position)
                kind, _, position, _ = lexeme
                yield lexeme
                if kind == "ERROR":
                    return
                continue
            kind = _KINDS[group]
            start, position = match.span(group)
            if kind == "WORD":
                kind = _WORDS.get(match[group], "IDENTIFIER")
            elif kind == "CLOSE":
                start = position - (4 if start < position - 2 and text[position - 3] == "-" else 2)
                if depth:
                    yield Lexeme("ERROR", start, position, "unclosed left paren")
                    return
                yield new(Lexeme, (kind, start, position, ""))
                break
            elif kind == "MARK":
                kind = _MARKS[match[group]]
                depth += (kind == "LPAR") - (kind == "RPAR")
                if depth < 0:
                    yield Lexeme("ERROR", start, position, "unexpected right paren")
                    return
            yield new(Lexeme, (kind, start, position, ""))
    if position < len(text):
        yield Lexeme("TEXT", position, len(text))
    yield Lexeme("EOF", len(text), len(text))


def trims_left(text: str, opening_end: int) -> bool:
    """Say whether the OPEN (or COMMENT) that begins two characters before has a trim marker."""
    return text[opening_end : opening_end + 1] == "-" and text[opening_end + 1 : opening_end + 2] in tuple(SPACE)


def _comment(text: str, delimiter: int, start: int) -> Lexeme:
    end = text.find("*/", start + 2) + 2
    if end < 2:
        return Lexeme("ERROR", start, len(text), "unclosed comment")
    if text.startswith("}}", end):
        return Lexeme("COMMENT", delimiter, end + 2)
    if text.startswith("-}}", end + 1) and text[end] in SPACE:
        return Lexeme("COMMENT", delimiter, end + 4)
    return Lexeme("ERROR", start, end, "comment ends before closing delimiter")


def is_alphanumeric(char: str) -> bool:
    """Say whether a character may stand in a name: the underscore, letters and decimal digits of any script."""
    return char == "_" or (bool(char) and (unicodedata.category(char)[0] == "L" or unicodedata.category(char) == "Nd"))


def _slow(text: str, start: int) -> Lexeme:
    """Cut one token by the rules in full; no space begins at ``start``, unless it is the end of the text."""
    char = text[start : start + 1]
    if not char:
        return Lexeme("ERROR", start, start, "unclosed action")
    if char == ":":
        return Lexeme("ERROR", start, start + 1, "expected :=")
    if char in "\"'":
        return _quoted(text, start, char)
    if char == "`":
        return Lexeme("ERROR", start, len(text), "unterminated raw quoted string")
    # a dot that ends the text is, for Go, a number without digits
    if char in "+-" or "0" <= char <= "9" or (char == "." and "0" <= text[start + 1 : start + 2].ljust(1, "0") <= "9"):
        return _number(text, start)
    if char in "$." or is_alphanumeric(char):
        return _word(text, start, char)
    if " " <= char <= "~":
        return Lexeme("CHAR", start, start + 1)
    return Lexeme("ERROR", start, start + 1, f"unrecognized character in action: {code_point(char)}")


def _ends_word(text: str, position: int) -> bool:
    return position >= len(text) or text[position] in _TERMINATORS or text.startswith("}}", position)


def _word(text: str, start: int, first: str) -> Lexeme:
    end = start + 1
    while end < len(text) and is_alphanumeric(text[end]):
        end += 1
    if not _ends_word(text, end):
        return Lexeme("ERROR", start, end, f"bad character {code_point(text[end])}")
    if first == ".":
        return _with_fields(text, "FIELD", start, end) if end > start + 1 else Lexeme("DOT", start, end)
    if first == "$":
        return _with_fields(text, "VARIABLE", start, end)
    return Lexeme(_WORDS.get(text[start:end], "IDENTIFIER"), start, end)


def _with_fields(text: str, kind: str, start: int, end: int) -> Lexeme:
    """Add the fields that follow directly: Go makes one node of them."""
    while text.startswith(".", end):
        more = end + 1
        while more < len(text) and is_alphanumeric(text[more]):
            more += 1
        if more == end + 1 or "0" <= text[end + 1] <= "9" or not _ends_word(text, more):
            break
        end = more
    return Lexeme(kind, start, end)


def _quoted(text: str, start: int, mark: str) -> Lexeme:
    position = start + 1
    while position < len(text) and text[position] not in (mark, "\n"):
        position += 2 if text[position] == "\\" and text[position + 1 : position + 2] != "\n" else 1
    if text[position : position + 1] == mark:
        return Lexeme("STRING" if mark == '"' else "RUNE", start, position + 1)
    what = "quoted string" if mark == '"' else "character constant"
    return Lexeme("ERROR", start, position, f"unterminated {what}")


_NUMBER = regex(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)


def _number(text: str, start: int) -> Lexeme:
    end, good = _scan_number(text, start)
    if good and text[end : end + 1] in ("+", "-"):
        end, good = _scan_number(text, end)
        good = good and text[end - 1] == "i"
    if not good:
        return Lexeme("ERROR", start, end, f"bad number syntax: {quote(text[start:end])}")
    return Lexeme("NUMBER", start, end)


def _scan_number(text: str, start: int) -> tuple[int, bool]:
    match = _NUMBER.match(text, start)
    end = match.end() if match else start
    return (end + 1, False) if is_alphanumeric(text[end : end + 1]) else (end, True)
