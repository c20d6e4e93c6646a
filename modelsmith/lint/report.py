"""What lint says of one file: findings with their text, or why the file could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of one file.

    ``fixed`` are the codes of findings that were mended (``before`` is the text before that), ``silenced`` is how many stand
    in a baseline, ``failed`` says why the file was not read or written, ``passed_by`` why it is none to lint, ``unwritten`` why
    its fixes were not made.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()
    fixed: tuple[str, ...] = ()
    before: str | None = None
    silenced: int = 0
    failed: str = ""
    hint: str = ""
    passed_by: str = ""
    unwritten: str = ""

    @property
    def path(self) -> str:
        """The file's name as it was given."""
        return self.source.name

    def place(self, diagnostic: Diagnostic) -> tuple[int, int, int, int]:
        """Return line, column, end line and end column (behind the last character) of a finding, from 1."""
        start, end = self.source.position(diagnostic.span.start), self.source.position(diagnostic.span.end)
        return (*start, *end)


def reaches(report: Report, severity: Severity) -> bool:
    """Say whether a finding is at least as bad as ``severity``."""
    return any(RANK[diagnostic.severity] <= RANK[severity] for diagnostic in report.diagnostics)
