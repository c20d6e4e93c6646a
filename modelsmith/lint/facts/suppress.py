"""Comments that silence findings, at their place and with a reason.

``# modelsmith: ignore[MS104] reason`` stands on the line above what it is about; ``ignore-file[...]`` is for the whole file.
In a template alone the comment is ``{{/* modelsmith: ignore[MS304] reason */}}``. A comment behind a value would be part of
the value, which is why none is looked for there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import chain
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


def suppressions(document: Document) -> Iterator[Suppression]:
    """Yield the comments for modelsmith in a file, well-formed or not."""
    if document.modelfile is None:
        for found in _TEMPLATE.finditer(document.text):
            yield _made(found, Span(*found.span()), _next_line(document.text, found.end()))
        return
    made: list[Suppression] = []
    about = Span(len(document.text), len(document.text))
    for node in reversed(document.modelfile.nodes):
        if not isinstance(node, Comment):
            about = node.span
        elif match := _MODELFILE.match(document.text, node.span.start, node.span.end):
            made.append(_made(match, node.span, about))
    yield from reversed(made)


def _made(match: re.Match[str], span: Span, about: Span) -> Suppression:
    listed, start = match["codes"] or "", match.start("codes") + 1
    codes = tuple(
        (word[0], Span(start + word.start(), start + word.end()))
        for word in re.finditer(r"[^\s,\[\]=]+", listed[1:].rstrip("]"))
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
    whole: dict[str, list[Suppression]] = {}
    near: dict[tuple[str, Span], list[Suppression]] = {}
    for comment in comments:
        for code in {code for code, _ in comment.codes} if comment.word in WORDS else ():
            if comment.word == "ignore-file":
                whole.setdefault(code, []).append(comment)
            else:
                near.setdefault((code, comment.about), []).append(comment)
    # what comments are about are nodes or lines: they follow each other, and at most one holds a finding
    places = sorted({about for _, about in near})
    starts = [about.start for about in places]
    left, used, done = [], set[tuple[Suppression, str]](), set[tuple[str, Span | None]]()
    for diagnostic in diagnostics:
        code, place = diagnostic.code, bisect_right(starts, diagnostic.span.start) - 1
        about = places[place] if place >= 0 and _holds(places[place], diagnostic.span.start) else None
        silencing = (whole.get(code, ()), near.get((code, about), ()) if about else ())
        if not any(silencing):
            left.append(diagnostic)
        elif (code, about) not in done:
            done.add((code, about))
            used.update((suppression, code) for suppression in chain(*silencing))
    return left, used


def _holds(about: Span, offset: int) -> bool:
    return about.start <= offset < max(about.end, about.start + 1)
