"""The tokens of a chat template, as llama.cpp cuts them.

It differs from jinja2's lexer in many small things: a line break after ``-}`` goes, a ``-`` right after an opening brace is
dropped, ``}}`` inside a mapping closes two mappings, a number has no exponent, there is no ``{% raw %}``.

Source: llama.cpp, common/jinja/lexer.cpp.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from modelsmith.patterns import regex

TEXT = "text"
NUMBER = "number"
STRING = "string"
NAME = "identifier"
COMMENT = "comment"
UNARY = "unary operator"
ADDITIVE = "additive operator"
MULTIPLICATIVE = "multiplicative operator"
COMPARISON = "comparison operator"
OPEN_STATEMENT = "{%"
CLOSE_STATEMENT = "%}"
OPEN_EXPRESSION = "{{"
CLOSE_EXPRESSION = "}}"
END = "end of the template"

_KINDS = {
    **dict.fromkeys(("{%", "{%-"), OPEN_STATEMENT),
    **dict.fromkeys(("%}", "-%}"), CLOSE_STATEMENT),
    **dict.fromkeys(("{{", "{{-"), OPEN_EXPRESSION),
    **dict.fromkeys(("}}", "-}}"), CLOSE_EXPRESSION),
    **{text: text for text in "(){}[],.:|="},
    **dict.fromkeys(("<=", ">=", "==", "!=", "<", ">"), COMPARISON),
    **dict.fromkeys("+-~", ADDITIVE),
    **dict.fromkeys("*/%", MULTIPLICATIVE),
}
_SYMBOL = regex(r"\{%-|-%\}|\{\{-|-\}\}|\{%|%\}|\{\{|\}\}|[(){}\[\],.:|]|[<>=!]=|[<>]|[-+~*/%=]")
_SPACE = re.compile(r"[ \t\n\v\f\r]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORD = re.compile(r"[0-9A-Za-z_]+")
_STRING = {quote: re.compile(rf"{quote}([^{quote}\\]*){quote}") for quote in "'\""}
_BLOCK = regex(r"\{[%{#]")
_STRIPPED = " \t\r\n"
_INDENT = " \t\v\f\r"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_OPERANDS = frozenset({NAME, NUMBER, STRING, ")", "]"})
_OUTSIDE = frozenset({CLOSE_STATEMENT, CLOSE_EXPRESSION, COMMENT})
_OPENING = frozenset({OPEN_STATEMENT, OPEN_EXPRESSION})


class Token(NamedTuple):
    """One token; ``start`` is its byte in the text, ``value`` what it says (escapes of strings resolved)."""

    kind: str
    value: str
    start: int


class Unreadable(Exception):
    """llama.cpp would not load this template; ``position`` is the byte where that shows."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text (bytes, line ends plain, the last one dropped); raises Unreadable."""
    return _Lexer(text).tokens()


class _Lexer:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._size = len(text)
        self._found: list[Token] = []
        self._depth = 0

    def tokens(self) -> list[Token]:
        text, size, found = self._text, self._size, self._found
        position = 0
        while position < size:
            last = found[-1].kind if found else CLOSE_STATEMENT
            if last in _OUTSIDE:
                start = position
                position, outside = self._outside(position)
                if outside:
                    found.append(Token(TEXT, outside, start))
                    continue
            if text.startswith("{#", position):
                position = self._comment(position)
                continue
            if last in _OPENING and text.startswith("-", position):
                position += 1
                if position >= size:
                    break
            position = _end(_SPACE, text, position)
            if position >= size:
                break
            position = self._inside(position)
        return found

    def _outside(self, start: int) -> tuple[int, str]:
        """Return where the next block opens, and the text before it with what the blocks around it trim."""
        text = self._text
        before = text[max(start - 3, 0) : start] if start > 3 else ""
        block = _BLOCK.search(text, start)
        position = block.start() if block else self._size
        end = position
        if text.startswith(("{%", "{#", "{-"), position):
            end = _without_indent(text, start, position)
        outside = text[start:end]
        if before[1:] in {"#}", "%}", "-}"} and outside.startswith("\n"):
            outside = outside[1:]
        if before in {"-%}", "-}}", "-#}"}:
            outside = outside.lstrip(_STRIPPED)
        if text.startswith(("{{-", "{%-", "{#-"), position):
            outside = outside.rstrip(_STRIPPED)
        return position, outside

    def _comment(self, start: int) -> int:
        end = self._text.find("#}", start + 2)
        if end < 0:
            raise Unreadable("missing end of comment tag", max(self._size - 2, start))
        self._found.append(Token(COMMENT, self._text[start + 2 : end], start))
        return end + 2

    def _inside(self, start: int) -> int:
        """Read one token of a statement or an expression and return where it ends."""
        text = self._text
        char = text[start]
        if char in "-+" and not (char == "-" and text.startswith(("%", "}"), start + 1)):
            last = self._found[-1].kind if self._found else END
            if last in {TEXT, END}:
                raise Unreadable(f"unexpected character: {char}", start)
            if last not in _OPERANDS:
                end = _end(_NUMBER, text, start + 1)
                self._found.append(Token(NUMBER if end > start + 1 else UNARY, text[start:end], start))
                return end
        symbol = _SYMBOL.match(text, start)
        if symbol:
            return self._symbol(symbol[0], start)
        for quote in "'\"":
            if char == quote:
                return self._string(quote, start)
        for pattern, kind in ((_NUMBER, NUMBER), (_WORD, NAME)):
            word = pattern.match(text, start)
            if word:
                self._found.append(Token(kind, word[0], start))
                return word.end()
        raise Unreadable(f"unexpected character: {char}", start)

    def _symbol(self, symbol: str, start: int) -> int:
        if symbol == "}}" and self._depth:
            symbol = "}"
        kind = _KINDS[symbol]
        if kind == OPEN_EXPRESSION:
            self._depth = 0
        elif symbol in "{}":
            self._depth += 1 if symbol == "{" else -1
        self._found.append(Token(kind, symbol, start))
        return start + len(symbol)

    def _string(self, quote: str, start: int) -> int:
        text = self._text
        plain = _STRING[quote].match(text, start)
        if plain:
            self._found.append(Token(STRING, plain[1], start))
            return plain.end()
        parts: list[str] = []
        position = start + 1
        while position < self._size and text[position] != quote:
            char = text[position]
            position += 1
            if char == "\\":
                if position >= self._size:
                    raise Unreadable("unexpected end of input after escape character", position)
                if text[position] not in _ESCAPES:
                    raise Unreadable(f"unknown escape character \\{text[position]}", position + 1)
                char = _ESCAPES[text[position]]
                position += 1
            parts.append(char)
        if position >= self._size:
            raise Unreadable("unexpected end of input: the string is never closed", start)
        self._found.append(Token(STRING, "".join(parts), start))
        return position + 1


def _without_indent(text: str, start: int, position: int) -> int:
    """Return where the text before a block ends when the block's own indentation goes.

    At the beginning of a template llama.cpp takes one character too many: a text of one character before the white space
    goes with it.
    """
    end = start + len(text[start:position].rstrip(_INDENT))
    if start == 0 and end <= 1:
        return 0
    return end if end > start and text[end - 1] == "\n" else position


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start
