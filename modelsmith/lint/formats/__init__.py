"""Ways to write reports down for machines: one module a format, a function ``write`` from reports to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report

FORMATS = ("json", "sarif", "github", "junit", "gitlab")


def write(name: str, reports: Sequence[Report]) -> str:
    """Return the reports in one of FORMATS, with a final line end."""
    written: str = import_module(f"{__name__}.{name}").write(reports)
    return written
