"""The file that ``--html`` writes: whole or not at all, and never in place of anything but an older report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.cli.diff_html import START, page
from modelsmith.errors import UsageError
from modelsmith.recipe.outputs import write

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.recipe.difference import Difference


def check_report(path: Path, *compared: str) -> None:
    """Raise UsageError where the report would replace anything but an older report, or has no folder to go to."""
    other = "name another file with --html, or move this one away first"
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name the file that the report is written to")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file", hint="name another file with --html")
    if any(_is(path, spec) for spec in compared):
        raise UsageError(f"{path} would be overwritten, and it is compared", hint=other)
    with path.open("rb") as file:
        start = file.read(len(START))
    if start and start.lower() != START.encode():
        raise UsageError(f"{path} exists and is no report: it would be lost", hint=other)


def write_report(path: Path, found: Difference) -> None:
    """Write the page, whole or not at all."""
    write(path, [page(found).encode()], hint="name another place with --html")


def _is(path: Path, spec: str) -> bool:
    try:
        return path.samefile(spec)
    except (OSError, ValueError):
        return False  # a model's name, not a file
