"""JUnit's XML, which every CI server reads: a test case a file, a failure a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.report import Report

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(reports: Sequence[Report]) -> str:
    """Return one test suite."""
    failures = sum(len(report.diagnostics) for report in reports)
    errors = sum(1 for report in reports if report.failed)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="modelsmith" tests="{len(reports)}" failures="{failures}" errors="{errors}">',
    ]
    for report in reports:
        lines.append(f"<testcase classname={_attribute(report.path)} name={_attribute(report.path)}>")
        lines += [_failure(report, each) for each in report.diagnostics]
        if report.failed:
            lines.append(f"<error message={_attribute(report.failed)}/>")
        lines.append("</testcase>")
    return "\n".join((*lines, "</testsuite></testsuites>\n"))


def _failure(report: Report, diagnostic: Diagnostic) -> str:
    line, column, *_ = report.place(diagnostic)
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    text = f"{report.path}:{line}:{column}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]{hint}"
    return f"<failure type={_attribute(diagnostic.code)} message={_attribute(diagnostic.message)}>{escape(_clean(text))}</failure>"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;"})


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
