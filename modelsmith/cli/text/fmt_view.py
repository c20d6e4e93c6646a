"""How ``modelsmith fmt`` shows what would change, and why a file is left alone."""

from __future__ import annotations

import difflib
import re
import sys
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable, show_error
from modelsmith.errors import ModelsmithError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def show_failure(path: str, error: ModelsmithError) -> None:
    """Say that a file is left as it is, and why; ``path`` is "" where the error names it itself."""
    place = f"{path}: " if path else ""
    show_error(
        ModelsmithError(f"{place}{error.message}", hint=error.hint or "the file is left as it is; correct that first")
    )


def show_difference(path: str, before: bytes, after: bytes) -> None:
    """Print a unified difference that ``patch`` takes; on a terminal coloured, and without control characters."""
    on_terminal = sys.stdout.isatty()
    for number, line in enumerate(_difference(path, before, after)):
        if on_terminal:
            colour = _COLOURS.get(line[:1]) if number > 1 else None
            click.secho(printable(line.removesuffix("\n")), fg=colour, bold=number < 2 or None)
        else:
            click.echo(line.encode("utf-8", "surrogateescape"), nl=False)


def _difference(path: str, before: bytes, after: bytes) -> Iterator[str]:
    from modelsmith.syntax.modelfile.text import decode

    old, new = (_LINE.findall(decode(data)[0]) for data in (before, after))
    for line in difflib.unified_diff(old, new, path, path):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
