"""Ways to write reports down for machines: one module a format, a function ``write`` from reports to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.lint.report import Report

FORMATS = ("concise", "json", "sarif", "github", "junit", "gitlab")

_KNOWN = {
    "json": regex(rb'\{\s+"findings": \[(?:\]|\s+\{\s+"path": )'),
    "sarif": regex(
        rb'\{\s+"\$schema": "[^"]+",\s+"version": "2\.1\.0",\s+"runs": \[\s+\{\s+"tool": \{\s+"driver": \{\s+"name": "modelsmith"'
    ),
    "junit": regex(rb'<\?xml [^>]*>\s+<testsuites><testsuite name="modelsmith" '),
    "gitlab": regex(rb'\[(?:\]\s*\Z|\s+\{\s+"description": "(?:[^"\\]|\\.)*",\s+"check_name": "(?:MS\d|unreadable))'),
}
"""How reports begin that are ours."""


def write(name: str, reports: Sequence[Report]) -> str:
    """Return the reports in one of FORMATS, with a final line end."""
    written: str = import_module(f"{__name__}.{name}").write(reports)
    return written


def is_written_as(name: str, data: bytes) -> bool:
    """Say whether bytes are an older report in one of FORMATS, which a newer one may replace; those of GitHub and concise ones are just lines."""
    known = _KNOWN.get(name)
    return known is not None and known.match(data) is not None
