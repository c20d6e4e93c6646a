"""Run the rules over a document: what they find, less what is silenced, in the order of the text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.suppress import sift, suppressions
from modelsmith.lint.rules import rules_of
from modelsmith.lint.run.unused import UNUSED, unused

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document
    from modelsmith.lint.rule import Rule
    from modelsmith.lint.settings import Settings

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def check(document: Document) -> tuple[Diagnostic, ...]:
    """Return what the rules that the document's settings want say of it."""
    wanted = _wanted(document.settings)
    found = [diagnostic for rule in wanted for diagnostic in rule.diagnostics(document)]
    comments = tuple(suppressions(document))
    if comments:
        found, used = sift(found, comments)
        if document.settings.wants(UNUSED):
            found += unused(document, comments, used, {rule.code for rule in wanted})
    return tuple(
        sorted(dict.fromkeys(found), key=lambda fromkey: (fromkey.span, _RANK[fromkey.severity], fromkey.code))
    )


@lru_cache(maxsize=64)
def _wanted(settings: Settings) -> tuple[Rule, ...]:
    """Choose the rules once for all files that are linted alike."""
    return tuple(rules_of(settings.wants).values())
