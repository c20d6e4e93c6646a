"""What is wrong with a text, what would mend it, and which colour each word of it has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Diagnostic
from modelsmith.errors import TemplateSyntaxError
from modelsmith.lint.document import Document
from modelsmith.lint.editor.colours import coloured
from modelsmith.lint.editor.jinja_colours import jinja_coloured
from modelsmith.lint.report import RANK
from modelsmith.lint.rules import all_rules
from modelsmith.lint.run.engine import check as lint
from modelsmith.lint.run.fixes import fix
from modelsmith.lint.settings import Settings
from modelsmith.lint.surroundings import NOTHING, Surroundings
from modelsmith.playground.units import Units
from modelsmith.source import Source, Span
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.versions import Version

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.editor.colours import Coloured
    from modelsmith.playground.given import Given

MOST_FINDINGS = 200
"""Findings that are listed; the rest is counted."""
MOST_COLOURED = 100_000
"""Characters up to which words are coloured."""


def check(given: Given) -> dict[str, Any]:
    """Return ``findings`` with their places and fixes, how many there are of each severity, and ``colours``."""
    document = _document(given) if given.kind != "jinja" else None
    found = _of_jinja(given.text) if document is None else lint(document)
    units, source = Units(given.text), Source(given.text, given.name)
    counts = {severity.value: sum(diagnostic.severity is severity for diagnostic in found) for severity in RANK}
    return {
        "findings": [_finding(diagnostic, units, source) for diagnostic in found[:MOST_FINDINGS]],
        "count": len(found),
        "counts": counts,
        "fixable": sum(bool(diagnostic.fix and diagnostic.fix.safe) for diagnostic in found),
        "colours": [
            [units.at(mark.span.start), units.at(mark.span.end), mark.type] for mark in _marks(given, document)
        ],
    }


def _marks(given: Given, document: Document | None) -> tuple[Coloured, ...]:
    if len(given.text) > MOST_COLOURED:
        return ()
    return jinja_coloured(given.text) if document is None else coloured(document)


def mend(given: Given, *, unsafe: bool = False) -> dict[str, Any]:
    """Return the ``text`` after every safe fix (the others too where ``unsafe``), and the codes of what was ``fixed``."""
    if given.kind == "jinja":
        return {"text": given.text, "fixed": []}
    fixed = fix(_document(given), unsafe=unsafe)
    return {"text": fixed.document.text, "fixed": [diagnostic.code for diagnostic in fixed.applied]}


def _document(given: Given) -> Document:
    around = _around(given.weights) if given.weights is not None and given.kind == "modelfile" else NOTHING
    settings = Settings(Version.parse(given.version))
    return Document.parse(given.text, given.name, settings=settings, surroundings=around)


@lru_cache(maxsize=2)
def _around(weights: Path) -> Surroundings:
    from modelsmith.store.surroundings import model_of_gguf
    from modelsmith.weights.gguf import GGUFFile

    return Surroundings(model=model_of_gguf(GGUFFile.open(weights), weights.name))


def _of_jinja(text: str) -> tuple[Diagnostic, ...]:
    try:
        ChatTemplate.parse(text)
    except TemplateSyntaxError as error:
        start = len(text) if error.offset is None else min(error.offset, len(text))
        place = Span(start, min(start + 1, len(text)))
        if error.offset is None:
            place = Span(0, 0)
        return (Diagnostic("jinja-syntax", error.message, place, hint=error.hint),)
    return ()


def _finding(found: Diagnostic, units: Units, source: Source) -> dict[str, Any]:
    line, column = source.position(found.span.start)
    rule = all_rules().get(found.code)
    return {
        "start": units.at(found.span.start),
        "end": units.at(found.span.end),
        "line": line,
        "column": column,
        "code": found.code,
        "name": rule.name if rule else "",
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint,
        "why": rule.sections.get("Why", "") if rule else "",
        "fix": _fix(found.fix, units) if found.fix else None,
    }


def _fix(given: Fix, units: Units) -> dict[str, Any]:
    edits = [[units.at(edit.span.start), units.at(edit.span.end), edit.text] for edit in given.edits]
    return {"message": given.message, "safe": given.safe, "edits": edits}
