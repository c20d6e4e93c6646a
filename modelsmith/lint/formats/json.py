"""JSON for scripts: one array of findings, stable keys, places from 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.lint.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.report import Report


def write(reports: Sequence[Report]) -> str:
    """Return ``{"findings": [...], "failed": [...]}``."""
    findings = [_finding(report, diagnostic) for report in reports for diagnostic in report.diagnostics]
    failed = [{"path": report.path, "message": report.failed} for report in reports if report.failed]
    return json.dumps({"findings": findings, "failed": failed}, indent=2, ensure_ascii=True) + "\n"


def _finding(report: Report, diagnostic: Diagnostic) -> dict[str, Any]:
    line, column, end_line, end_column = report.place(diagnostic)
    rule = all_rules().get(diagnostic.code)
    return {
        "path": report.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "code": diagnostic.code,
        "name": rule.name if rule else diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "fix": dict(_fix(report, diagnostic)) or None,
    }


def _fix(report: Report, diagnostic: Diagnostic) -> Iterator[tuple[str, Any]]:
    if diagnostic.fix is None:
        return
    yield "message", diagnostic.fix.message
    yield "safe", diagnostic.fix.safe
    edits = []
    for edit in diagnostic.fix.edits:
        start, end = report.source.position(edit.span.start), report.source.position(edit.span.end)
        edits.append(
            {"line": start[0], "column": start[1], "end_line": end[0], "end_column": end[1], "text": edit.text}
        )
    yield "edits", edits
