"""One line a finding, as compilers and grep have it: for eyes that know the rules, and for whatever reads lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.source import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report


def write(reports: Sequence[Report]) -> str:
    """Return ``file:line:column: severity: message [code]`` for each finding, ``[*]`` behind one with a safe fix."""
    lines = []
    for report in reports:
        for diagnostic in report.diagnostics:
            line, column, _, _ = report.place(diagnostic)
            mark = " [*]" if diagnostic.fix and diagnostic.fix.safe else ""
            lines.append(
                f"{report.path}:{line}:{column}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]{mark}"
            )
        if report.failed:
            lines.append(f"{report.path}: error: {report.failed}")
    return "".join(f"{_on_one_line(line)}\n" for line in lines)


def _on_one_line(text: str) -> str:
    return "".join(char if char.isprintable() else spelled(char) for char in text)
