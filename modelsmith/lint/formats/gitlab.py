"""Code quality reports of GitLab.

Source: docs.gitlab.com, "Code Quality", the report format; a fingerprint must stay when lines move.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from modelsmith.lint.run.baseline import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def write(reports: Sequence[Report]) -> str:
    """Return the array of issues."""
    issues = []
    seen: Counter[str] = Counter()
    for report in reports:
        for diagnostic in report.diagnostics:
            line, _, end_line, _ = report.place(diagnostic)
            print_ = fingerprint(report, diagnostic)
            seen[print_] += 1
            issues.append(
                {
                    "description": f"{diagnostic.code}: {diagnostic.message}",
                    "check_name": diagnostic.code,
                    "fingerprint": print_ if seen[print_] == 1 else f"{print_}-{seen[print_]}",
                    "severity": _SEVERITIES[diagnostic.severity],
                    "location": {"path": report.path, "lines": {"begin": line, "end": end_line}},
                }
            )
        if report.failed:
            issues.append(
                {
                    "description": report.failed,
                    "check_name": "unreadable",
                    "fingerprint": f"unreadable-{report.path}",
                    "severity": "blocker",
                    "location": {"path": report.path, "lines": {"begin": 1}},
                }
            )
    return json.dumps(issues, indent=2) + "\n"
