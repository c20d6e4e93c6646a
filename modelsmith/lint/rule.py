"""What a rule is: a module of ``lint/rules``, named by its code, documented by its docstring.

A module ``ms104_inline_comment_kept.py`` is the rule MS104, called inline-comment-kept. It holds one function, marked by
``@rule(severity)``, that yields Findings; everything else is read from the module's name and docstring.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Fix, Severity
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelsmith.lint.document import Document
    from modelsmith.source import Edit, Span

HEADINGS = ("What it does", "Why", "Example", "Use instead", "Fix safety", "Source")
"""The sections that every rule's docstring has, in this order."""

_MODULE = regex(r"(?:.*\.)?(ms\d{3})_([a-z0-9_]+)")
_HEADING = regex(r"^## (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the engine adds the rule's code, and its severity where ``severity`` is None."""

    span: Span
    message: str
    hint: str = ""
    fix: Fix | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``code`` is like MS104, ``name`` like inline-comment-kept."""

    code: str
    name: str
    severity: Severity
    doc: str
    check: Callable[[Document], Iterator[Finding]]

    @property
    def summary(self) -> str:
        """The first line of its documentation."""
        return self.doc.partition("\n")[0]

    @property
    def sections(self) -> Mapping[str, str]:
        """The text under each heading of its documentation."""
        parts = _HEADING.split(self.doc)
        return {heading: text.strip("\n") for heading, text in zip(parts[1::2], parts[2::2], strict=True)}

    def diagnostics(self, document: Document) -> Iterator[Diagnostic]:
        """Yield what this rule finds in a document."""
        for found in self.check(document):
            severity = found.severity or self.severity
            yield Diagnostic(self.code, found.message, found.span, severity, found.hint, found.fix)


def rule(severity: Severity) -> Callable[[Callable[[Document], Iterator[Finding]]], Rule]:
    """Make the function of a rule module its Rule."""

    def made(check: Callable[[Document], Iterator[Finding]]) -> Rule:
        match = _MODULE.fullmatch(check.__module__)
        if match is None:
            raise ValueError(f"{check.__module__} is no name of a rule; call it like ms104_inline_comment_kept")
        doc = (sys.modules[check.__module__].__doc__ or "").strip()
        return Rule(match[1].upper(), match[2].replace("_", "-"), severity, doc, check)

    return made


def safe_fix(message: str, *edits: Edit) -> Fix:
    """Return a fix that keeps meaning and comments: what the author certainly meant, or what Ollama reads anyway."""
    return Fix(message, edits, safe=True)


def unsafe_fix(message: str, *edits: Edit) -> Fix:
    """Return a fix that is likely what the author meant; applied only where asked for."""
    return Fix(message, edits, safe=False)
