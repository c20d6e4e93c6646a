"""Findings for people: each with its line and a caret, then one line that sums up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import diagnostic_text, printable
from modelsmith.diagnostic import Severity
from modelsmith.lint.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report

MOST = 500
"""Findings of one file that are shown to a person."""


def show_findings(report: Report, *, err: bool) -> None:
    """Print the findings of one file, to standard error where standard output carries something else."""
    click.echo(findings_text(report), nl=False, err=err)


def findings_text(report: Report) -> str:
    """Return the findings of one file, each with its line and a caret; a mark says what --fix can do."""
    texts = []
    for diagnostic in report.diagnostics[:MOST]:
        mark = "" if diagnostic.fix is None else click.style(" [*]" if diagnostic.fix.safe else " [?]", fg="cyan")
        texts.append(f"{diagnostic_text(diagnostic, report.source, mark)}\n\n")
    if (more := len(report.diagnostics) - MOST) > 0:
        texts.append(f"{printable(report.path)}: {more:,} more; --statistics counts them, --format json lists them\n\n")
    return "".join(texts)


def show_diff(report: Report) -> None:
    """Print what the fixes changed in one file."""
    if report.before is None or report.before == report.source.text:
        return
    from difflib import unified_diff

    before, after = report.before.splitlines(keepends=True), report.source.text.splitlines(keepends=True)
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in unified_diff(before, after, report.path, report.path):
        text = printable(line.rstrip("\r\n"))
        click.echo(click.style(text, fg=colours.get(line[:1])))


def show_failure(report: Report) -> None:
    """Print to standard error why a file was not linted."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(report.failed)}", err=True)
    if report.hint:
        click.echo(f"  {click.style('hint:', fg='green')} {printable(report.hint)}", err=True)


def show_unwritten(report: Report) -> None:
    """Print to standard error why fixes were not made."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {printable(report.unwritten)}", err=True)
    click.echo(
        f"  {click.style('hint:', fg='green')} save it as UTF-8; --unsafe-fixes does where it sees the encoding",
        err=True,
    )


def show_statistics(reports: Sequence[Report]) -> None:
    """Print how often each rule found something, most often first."""
    counts = Counter(diagnostic.code for report in reports for diagnostic in report.diagnostics)
    fixable = Counter(diagnostic.code for report in reports for diagnostic in report.diagnostics if diagnostic.fix)
    for code, count in counts.most_common():
        rule = all_rules().get(code)
        mark = click.style(" [*]" if fixable[code] else "    ", fg="cyan")
        click.echo(f"{count:6} {code}{mark} {rule.name if rule else ''}")


def show_summary(reports: Sequence[Report], *, fixes: bool) -> None:
    """Print to standard error what there was altogether."""
    found = [diagnostic for report in reports for diagnostic in report.diagnostics]
    fixed = sum(len(report.fixed) for report in reports)
    counts = Counter(diagnostic.severity for diagnostic in found)
    said = [_count(counts[severity], severity) for severity in Severity if counts[severity]]
    failed = sum(1 for report in reports if report.failed)
    parts = [f"{', '.join(said) or 'nothing'} found in {_count(len(reports) - failed, 'file')}"]
    if failed:
        parts.append(f"{failed} could not be linted")
    if fixed:
        parts.append(f"{fixed} fixed")
    if old := sum(report.silenced for report in reports):
        parts.append(f"{old} in the baseline")
    safe = sum(1 for diagnostic in found if diagnostic.fix and diagnostic.fix.safe)
    unsafe = sum(1 for diagnostic in found if diagnostic.fix and not diagnostic.fix.safe)
    if safe and not fixes:
        parts.append(f"[*] {safe} can be mended with --fix")
    if unsafe:
        parts.append(f"[?] {unsafe} with --fix --unsafe-fixes")
    click.echo("; ".join(parts), err=True)


def _count(number: int, word: str) -> str:
    plural = "" if number == 1 or word == "info" else "s"
    return f"{number} {word}{plural}"
