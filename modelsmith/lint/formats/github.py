"""Annotations of GitHub Actions: workflow commands on standard output.

Source: docs.github.com, "Workflow commands for GitHub Actions"; escapes as in actions/toolkit, ``core/src/command.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def write(reports: Sequence[Report]) -> str:
    """Return one ``::level file=…::message`` a finding."""
    lines = []
    for report in reports:
        for diagnostic in report.diagnostics:
            line, column, end_line, end_column = report.place(diagnostic)
            # columns count only where both ends are on one line
            end = f",endColumn={end_column}" if end_line == line else ""
            place = f"file={_property(report.path)},line={line},endLine={end_line},col={column}{end}"
            hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
            title = f"title={_property(f'modelsmith {diagnostic.code}')}"
            lines.append(f"::{_LEVELS[diagnostic.severity]} {place},{title}::{_text(diagnostic.message + hint)}")
        if report.failed:
            lines.append(f"::error file={_property(report.path)},title=modelsmith::{_text(report.failed)}")
    return "".join(f"{line}\n" for line in lines)


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
