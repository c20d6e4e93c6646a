"""Suppressions that silence nothing: they would hide the next finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.lint.rule import safe_fix
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.facts.suppress import Suppression

UNUSED = "MS001"
"""The rule under which they are reported; it is the engine that knows what was silenced."""


def unused(
    document: Document,
    comments: Iterable[Suppression],
    used: Collection[tuple[Suppression, str]],
    wanted: Collection[str],
) -> Iterator[Diagnostic]:
    """Yield the codes that silenced nothing; a code whose rule did not run is not judged."""
    for comment in comments:
        judged = [(code, span) for code, span in comment.codes if code in wanted]
        idle = [(code, span) for code, span in judged if (comment, code) not in used]
        for code, span in idle:
            whole = len(idle) == len(comment.codes)
            edit = Edit.delete(_line(document.text, comment.span) if whole else _with_comma(document.text, span))
            yield Diagnostic(
                UNUSED,
                f"{code} is not found here, so nothing is silenced",
                span,
                Severity.WARNING,
                hint="remove it; it would hide the next one",
                fix=safe_fix(f"remove {'the comment' if whole else code}", edit),
            )


def _line(text: str, span: Span) -> Span:
    """Return the comment with its line end where it stands alone on its line."""
    end = span.end
    if text.startswith("\r\n", end):
        end += 2
    elif text[end : end + 1] in ("\n", "\r") and (span.start == 0 or text[span.start - 1] in "\r\n"):
        end += 1
    return Span(span.start, end)


def _with_comma(text: str, span: Span) -> Span:
    end = span.end
    while text[end : end + 1] in (" ", ","):
        end += 1
    start = span.start
    if text[end : end + 1] == "]":
        while text[start - 1] in " ,":
            start -= 1
    return Span(start, end)
