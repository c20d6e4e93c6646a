"""SARIF 2.1.0, for code scanning: rules with their documentation, results with regions, fingerprints and fixes.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelsmith.lint.rules import all_rules
from modelsmith.lint.run.baseline import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic, Fix
    from modelsmith.lint.report import Report
    from modelsmith.lint.rule import Rule
    from modelsmith.source import Source, Span

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(reports: Sequence[Report]) -> str:
    """Return one log with one run."""
    from modelsmith.about import __version__

    codes = sorted({diagnostic.code for report in reports for diagnostic in report.diagnostics})
    rules = [all_rules()[code] for code in codes if code in all_rules()]
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    driver = {
        "name": "modelsmith",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }
    failed = [_notification(report) for report in reports if report.failed]
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": failed}],
        "originalUriBaseIds": {"SRCROOT": {"uri": f"{Path.cwd().as_uri()}/"}},
        "results": list(_results(reports, numbers)),
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.sections["What it does"]},
        "help": {"text": rule.doc, "markdown": rule.doc},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _results(reports: Sequence[Report], numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for report in reports:
        for diagnostic in report.diagnostics:
            print_ = fingerprint(report, diagnostic)
            seen[print_] += 1
            place = {"artifactLocation": _artifact(report), "region": _region(report.source, diagnostic.span)}
            result: dict[str, Any] = {
                "ruleId": diagnostic.code,
                "ruleIndex": numbers.get(diagnostic.code, -1),
                "level": _LEVELS[diagnostic.severity],
                "message": {"text": _sentence(diagnostic)},
                "locations": [{"physicalLocation": place}],
                "partialFingerprints": {"modelsmith/v1": f"{print_}:{seen[print_]}"},
            }
            if diagnostic.fix:
                result["fixes"] = [_fix(report, diagnostic.fix)]
            yield result


def _sentence(diagnostic: Diagnostic) -> str:
    text = f"{diagnostic.message}; {diagnostic.hint}" if diagnostic.hint else diagnostic.message
    return f"{text}."


def _region(source: Source, span: Span) -> dict[str, Any]:
    (line, column), (end_line, end_column) = source.position(span.start), source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(report: Report, fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(report.source, edit.span)}
        | ({"insertedContent": {"text": edit.text}} if edit.text else {})
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(report), "replacements": replacements}
    return {"description": {"text": f"{fix.message}."}, "artifactChanges": [change]}


def _artifact(report: Report) -> dict[str, Any]:
    path = Path(report.path)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "SRCROOT"}


def _notification(report: Report) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": report.failed},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(report)}}],
    }
