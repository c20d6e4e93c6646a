"""JUnit's XML, which every CI server reads: a test case a file, a failure a finding; what is only advice stands in the output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from modelsmith.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.report import Report

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(reports: Sequence[Report]) -> str:
    """Return one test suite."""
    failures = sum(diagnostic.severity is not Severity.INFO for report in reports for diagnostic in report.diagnostics)
    errors = sum(1 for report in reports if report.failed)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="modelsmith" tests="{len(reports)}" failures="{failures}" errors="{errors}">',
    ]
    for report in reports:
        lines.append(f"<testcase classname={_attribute(report.path)} name={_attribute(report.path)}>")
        lines += [
            _failure(report, diagnostic)
            for diagnostic in report.diagnostics
            if diagnostic.severity is not Severity.INFO
        ]
        advice = [
            _text(report, diagnostic) for diagnostic in report.diagnostics if diagnostic.severity is Severity.INFO
        ]
        if report.failed:
            lines.append(f"<error message={_attribute(report.failed)}/>")
        if advice:
            lines.append(f"<system-out>{escape(clean(chr(10).join(advice)))}</system-out>")
        lines.append("</testcase>")
    return "\n".join((*lines, "</testsuite></testsuites>\n"))


def _failure(report: Report, diagnostic: Diagnostic) -> str:
    text = _text(report, diagnostic)
    return f"<failure type={_attribute(diagnostic.code)} message={_attribute(diagnostic.message)}>{escape(clean(text))}</failure>"


def _text(report: Report, diagnostic: Diagnostic) -> str:
    line, column, *_ = report.place(diagnostic)
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    return f"{report.path}:{line}:{column}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]{hint}"


def _attribute(text: str) -> str:
    return quoteattr(clean(text), {"\n": "&#10;"})


def clean(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
