"""Where in a template a syntax error is for the eye: Go says how far it had read, not what was wrong.

The token is found again in the text: the tag that nobody ends, the variable that nobody declared, the end of too many.
Source of the messages: Go, ``text/template/parse``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.syntax.gotemplate.lexer import Lexeme, lex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.errors import TemplateSyntaxError

_PREFIX = re.compile(r"template: :\d+: (?:template: )?")
_TAGS = ("IF", "WITH", "RANGE", "DEFINE", "BLOCK")
_TOO_DEEP = ("more than ", "the template is nested too deep")
_JINJA = re.compile(
    r"\{%|\{\{-?\s*(?:bos_token|eos_token|messages?\b|raise_exception|add_generation_prompt|content\b|loop\.)"
    r"|\bmessage\[['\"]|\.(?:strip|split|items|startswith)\(|\|\s*(?:trim|tojson|upper|lower|default)\b|\bis (?:not )?defined\b"
)


class Flaw(NamedTuple):
    """What is wrong with a template, and which part of it (start and end in its text)."""

    message: str
    start: int
    end: int


def flaw_of(text: str, error: TemplateSyntaxError) -> Flaw:
    """Return the error in Go's words without the place, and the part of the text that is meant."""
    message = _PREFIX.sub("", error.message, count=1)
    offset = min(len(text) if error.offset is None else error.offset, len(text))
    tokens = list(lex(text[: _limit(text, offset, message)]))
    start, end = _place(text, message, offset, tokens)
    return Flaw(message, start, max(end, start))


def is_our_limit(error: TemplateSyntaxError) -> bool:
    """Say whether it is not Ollama that refuses the template, but modelsmith that does not read it."""
    return _PREFIX.sub("", error.message, count=1).startswith(_TOO_DEEP)


def looks_like_jinja(text: str) -> bool:
    """Say whether a template is written in the language of Hugging Face's chat templates."""
    return _JINJA.search(text) is not None


def _limit(text: str, offset: int, message: str) -> int:
    """Return how much of the text has to be cut into tokens: up to the action that the error is in."""
    if "EOF" in message:
        return len(text)
    end = text.find("}}", offset)
    return len(text) if end < 0 else end + 2


def _place(text: str, message: str, offset: int, tokens: Sequence[Lexeme]) -> tuple[int, int]:
    if message.startswith("unexpected EOF"):
        return _unclosed(tokens) or (offset, offset)
    here = _at(tokens, offset)
    opening = _opening(tokens, here)
    if message.startswith("unclosed action"):
        return tokens[opening].start, tokens[opening].end
    if message.startswith("unclosed left paren"):
        depth = [token for token in tokens[opening:here] if token.kind in ("LPAR", "RPAR")]
        pending: list[Lexeme] = []
        for token in depth:
            if token.kind == "LPAR":
                pending.append(token)
            elif pending:
                pending.pop()
        return (pending[-1].start, pending[-1].end) if pending else (offset, offset)
    if message.startswith("undefined variable"):
        name = message.split('"')[1]
        for token in reversed(tokens[opening : here + 1]):
            if token.kind == "VARIABLE" and text[token.start : token.end].split(".", maxsplit=1)[0] == name:
                return token.start, token.start + len(name)
    if message.startswith("non executable command"):
        pipes = [number for number in range(opening, here) if tokens[number].kind == "PIPE"]
        token = tokens[pipes[-1] + 1] if pipes else tokens[here]
        return token.start, token.end
    token = tokens[here]
    if message.startswith("unclosed comment"):
        return token.start, token.start + 2
    if message.startswith("multiple definition"):
        names = [after for before, after in pairwise(tokens[:here]) if before.kind in ("DEFINE", "BLOCK")]
        token = names[-1] if names else token
    elif message.startswith("undefined template"):
        token = next((lexeme for lexeme in tokens[here:] if lexeme.kind == "STRING"), token)
    elif token.kind == "CLOSE" and opening + 1 < here:
        token = tokens[opening + 1]
    elif token.kind == "ERROR" and token.error.startswith("bad character"):
        return token.start, token.end + 1
    return token.start, token.end


def _unclosed(tokens: Sequence[Lexeme]) -> tuple[int, int] | None:
    """Return the keyword of the innermost tag that has no end."""
    waiting: list[Lexeme] = []
    for before, token in pairwise(tokens):
        if before.kind == "OPEN" and token.kind in _TAGS:
            waiting.append(token)
        elif before.kind == "OPEN" and token.kind == "END" and waiting:
            waiting.pop()
    return (waiting[-1].start, waiting[-1].end) if waiting else None


def _at(tokens: Sequence[Lexeme], offset: int) -> int:
    """Return the number of the last token that begins at or before an offset."""
    low, high = 0, len(tokens) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if tokens[middle].start <= offset:
            low = middle
        else:
            high = middle - 1
    return low


def _opening(tokens: Sequence[Lexeme], here: int) -> int:
    """Return the number of the token that opens the action of another one."""
    while here and tokens[here].kind != "OPEN":
        here -= 1
    return here
