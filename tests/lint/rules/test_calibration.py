"""The page of hits in real files is what the rules find now; UPDATE_EXPECTED=1 writes the hits and keeps the judgements."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lint_calibration import hits
from shared import corpus, needs_shared

from modelsmith.diagnostic import Severity
from modelsmith.lint.rules import all_rules

PAGE = Path(__file__).resolve().parents[3] / "docs" / "lint-calibration.md"
ROW = re.compile(r"\| \[(MS\d+)\]\(rules/MS\d+\.md\) [a-z0-9-]+ \| (\w+) \| (\d+) \| (\d+) \| (\d+) \|")


def rows() -> dict[str, tuple[str, int, int, int]]:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {code: (severity, int(count), int(read), int(right)) for code, severity, count, read, right in found}


def table(counts: dict[str, int], judged: dict[str, tuple[str, int, int, int]]) -> str:
    lines = ["| rule | severity | hits | read | right |", "|---|---|---:|---:|---:|"]
    for code, rule in all_rules().items():
        if counts.get(code):
            *_, read, right = judged.get(code, ("", 0, 0, 0))
            lines.append(
                f"| [{code}](rules/{code}.md) {rule.name} | {rule.severity} | {counts[code]} | {read} | {right} |"
            )
    return "\n".join(lines) + "\n"


@needs_shared
def test_the_page_shows_what_the_rules_find() -> None:
    text = PAGE.read_text(encoding="utf-8")
    expected = table(hits(corpus("")), rows())
    if os.environ.get("UPDATE_EXPECTED"):
        text = re.sub(r"\| rule \| severity .*?\n(?=\n|\Z)", lambda _: expected, text, flags=re.DOTALL)
        PAGE.write_text(text, encoding="utf-8")
    assert expected in text


def test_enough_was_read_and_no_error_was_wrong() -> None:
    for code, (severity, count, read, right) in rows().items():
        assert right <= read <= count, code
        assert read >= min(count, 15), f"{code}: read at least 15 findings, or all"
        assert severity != Severity.ERROR or read == right, code
