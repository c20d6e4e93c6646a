"""Comments that silence findings, at their place and with a reason.

``# modelsmith: ignore[MS104] reason`` stands on the line above what it is about; ``ignore-file[...]`` is for the whole file.
In a template alone the comment is ``{{/* modelsmith: ignore[MS304] reason */}}``. A comment behind a value would be part of
the value, which is why none is looked for there.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.source import Span
from modelsmith.syntax.modelfile.nodes import Comment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document

_MODELFILE = regex(
    r"#[ \t]*modelsmith:[ \t]*(?P<word>[\w-]*)[ \t]*(?P<codes>\[[^\]\r\n]*\]|=[\w, ]*)?(?P<reason>[^\r\n]*)"
)
_TEMPLATE = regex(
    r"\{\{-?[ \t]*/\*[ \t]*modelsmith:[ \t]*(?P<word>[\w-]*)[ \t]*(?P<codes>\[[^\]\r\n]*\])?(?P<reason>.*?)\*/[ \t]*-?\}\}"
)
WORDS = ("ignore", "ignore-file")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment: ``word`` as written, its codes with their places, and the part of the file it is about."""

    word: str
    codes: tuple[tuple[str, Span], ...]
    span: Span
    about: Span

    def covers(self, diagnostic: Diagnostic, code: str) -> bool:
        """Say whether a finding is silenced by this code of the comment."""
        return (
            self.word in WORDS
            and code == diagnostic.code
            and (
                self.word == "ignore-file"
                or self.about.start <= diagnostic.span.start < max(self.about.end, self.about.start + 1)
            )
        )


def suppressions(document: Document) -> Iterator[Suppression]:
    """Yield the comments for modelsmith in a file, well-formed or not."""
    if document.modelfile is None:
        for found in _TEMPLATE.finditer(document.text):
            yield _made(found, Span(*found.span()), _next_line(document.text, found.end()))
        return
    nodes = document.modelfile.nodes
    for place, node in enumerate(nodes):
        if isinstance(node, Comment) and (match := _MODELFILE.match(document.text, node.span.start, node.span.end)):
            following = next((each for each in islice(nodes, place + 1, None) if not isinstance(each, Comment)), None)
            end = len(document.text)
            yield _made(match, node.span, following.span if following else Span(end, end))


def _made(match: re.Match[str], span: Span, about: Span) -> Suppression:
    listed, start = match["codes"] or "", match.start("codes") + 1
    codes = tuple(
        (each[0], Span(start + each.start(), start + each.end()))
        for each in re.finditer(r"[^\s,\[\]=]+", listed[1:].rstrip("]"))
    )
    return Suppression(match["word"], codes, span, about)


def _next_line(text: str, offset: int) -> Span:
    start = text.find("\n", offset) + 1
    if not start:
        return Span(offset, len(text))
    end = text.find("\n", start)
    return Span(start, len(text) if end < 0 else end + 1)


def sift(
    diagnostics: Iterable[Diagnostic], comments: Iterable[Suppression]
) -> tuple[list[Diagnostic], set[tuple[Suppression, str]]]:
    """Return what is left, and which codes of which comments silenced something."""
    comments = tuple(comments)
    left, used = [], set()
    for diagnostic in diagnostics:
        silencing = {(each, code) for each in comments for code, _ in each.codes if each.covers(diagnostic, code)}
        used |= silencing
        if not silencing:
            left.append(diagnostic)
    return left, used
