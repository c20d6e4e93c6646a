"""Old findings that a team has decided to live with for now: a file of fingerprints, so that only new ones count.

A fingerprint is made of the file, the rule and the text at the place, not of its line number: edits elsewhere keep it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.report import Report

VERSION = 1


def fingerprint(report: Report, diagnostic: Diagnostic) -> str:
    """Return a hash of path, code, severity and the line at which a finding begins."""
    line, *_ = report.place(diagnostic)
    parts = (report.path, diagnostic.code, report.source.line_text(line).strip(), diagnostic.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_baseline(reports: Iterable[Report]) -> str:
    """Return the text of a baseline file that holds every finding of these reports."""
    files: dict[str, dict[str, int]] = {}
    for report in reports:
        counts = Counter(fingerprint(report, diagnostic) for diagnostic in report.diagnostics)
        if counts:
            files[report.path] = dict(sorted(counts.items()))
    return json.dumps({"modelsmith-baseline": VERSION, "files": dict(sorted(files.items()))}, indent=2) + "\n"


def read_baseline(text: str, name: str) -> Mapping[str, Mapping[str, int]]:
    """Return file -> fingerprint -> how often; raises UsageError for a text that is no baseline."""
    hint = "write it with `modelsmith lint --write-baseline FILE`"
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is no baseline: {error}", hint=hint) from error
    files = data.get("files") if isinstance(data, dict) else None
    if not isinstance(files, dict) or data.get("modelsmith-baseline") != VERSION:
        raise UsageError(f'{name} is no baseline: "modelsmith-baseline": {VERSION} and "files" are missing', hint=hint)
    for path, prints in files.items():
        if not isinstance(prints, dict) or not all(isinstance(count, int) for count in prints.values()):
            raise UsageError(f'{name} is no baseline: files "{path}" does not hold counts', hint=hint)
    return files


def without_old(reports: Sequence[Report], baseline: Mapping[str, Mapping[str, int]]) -> list[Report]:
    """Return the reports with new findings only; of equal ones the first are the old ones."""
    left = []
    for report in reports:
        old = Counter(baseline.get(report.path, {}))
        new = []
        for diagnostic in report.diagnostics:
            print_ = fingerprint(report, diagnostic)
            if old[print_] > 0:
                old[print_] -= 1
            else:
                new.append(diagnostic)
        left.append(replace(report, diagnostics=tuple(new), silenced=len(report.diagnostics) - len(new)))
    return left
