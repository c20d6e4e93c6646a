"""The page that ``--html`` writes: whole or not at all, and without --force never in place of anything but an older one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.diff.html import page
from modelsmith.cli.shared.html_page import START
from modelsmith.cli.shared.outputs import write_output
from modelsmith.files.outputs import check_output
from modelsmith.hidden import unseen

if TYPE_CHECKING:
    from modelsmith.compare.difference import Difference


def check_report(path: Path, *read: str, force: bool) -> None:
    """Raise UsageError where the page would replace anything but an older page, or has no folder to go to."""
    check_output(path, [Path(spec) for spec in read if "\0" not in spec], force=force, is_ours=is_page)


def write_report(path: Path, found: Difference, *, force: bool) -> None:
    """Write the page of a comparison."""
    write_page(path, page(found), force=force)


def write_page(path: Path, text: str, *, force: bool) -> None:
    """Write a page."""
    write_output(path, unseen(text).encode(), force=force, option="--html", is_ours=is_page)


def is_page(data: bytes) -> bool:
    """Say whether a file is a page of ours, by how it begins."""
    return data.startswith(START.encode())
