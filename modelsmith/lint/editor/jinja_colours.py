"""What each word of a Jinja chat template is, also of one that is only half written: nothing is parsed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.editor.colours import Coloured
from modelsmith.patterns import regex
from modelsmith.source import Span

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_KEYWORDS = frozenset(
    {
        *("if", "elif", "else", "endif", "for", "endfor", "in", "set", "endset", "macro"),
        *("endmacro", "call", "endcall", "filter", "endfilter", "break", "continue", "generation", "endgeneration"),
        *("and", "or", "not", "is", "recursive", "true", "false", "none", "True", "False", "None"),
    }
)
_CLOSINGS = {"{{": "}}", "{%": "%}"}
_OPENING = regex(r"\{#|\{\{|\{%")
_WORD = regex(
    r"""(?P<close>[-+]?[}%]\})|(?P<string>'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?)|(?P<number>\d+(?:\.\d+)?)"""
    r"|(?P<before>[.|]?)\s*(?P<name>[^\W\d]\w*)(?P<call>\s*\()?|(?P<operator>[=!<>]=|[-+*/%~|=<>])"
)


def jinja_coloured(text: str) -> tuple[Coloured, ...]:
    """Return the words in the order of the text; no two overlap."""
    return tuple(_marks(text))


def _marks(text: str) -> Iterator[Coloured]:
    at = 0
    while opened := _OPENING.search(text, at):
        start, at = opened.span()
        if opened[0] == "{#":
            found = text.find("#}", at)
            at = len(text) if found < 0 else found + 2
            yield Coloured(Span(start, at), "comment")
            continue
        at += text.startswith(("-", "+"), at)
        yield Coloured(Span(start, at), "operator")
        for word in _WORD.finditer(text, at):
            at = word.end()
            if word["close"]:
                if not word["close"].endswith(_CLOSINGS[opened[0]]):
                    continue  # the end of a mapping, or a remainder
                yield Coloured(Span(*word.span("close")), "operator")
                break
            yield from _of_word(word)
        else:
            return


def _of_word(word: re.Match[str]) -> Iterator[Coloured]:
    for kind in ("string", "number", "operator"):
        if word[kind]:
            yield Coloured(Span(*word.span(kind)), kind)
    name = word["name"]
    if not name:
        return
    if word["before"] == "|":
        yield Coloured(Span(*word.span("before")), "operator")
    kind = "variable"
    if word["before"] == "." and not word["call"]:
        kind = "property"
    elif name in _KEYWORDS and not word["before"]:
        kind = "keyword"  # also before a bracket: not (a or b)
    elif word["before"] == "|" or word["call"]:
        kind = "function"
    yield Coloured(Span(*word.span("name")), kind)
