"""How errors look: a sentence, the place with a caret, the way out; and the report of a bug."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith import __version__
from modelsmith.errors import ModelsmithError, RecipeError

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def printable(text: str) -> str:
    """Return ``text`` without control characters: names and messages of others must not steer the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def show_diagnostic(diagnostic: Diagnostic, source: Source) -> None:
    """Print ``file:line:column: severity: message [code]``, the line, and a caret under the place."""
    line, column = source.position(diagnostic.span.start)
    severity = click.style(diagnostic.severity, fg=_COLOURS[diagnostic.severity], bold=True)
    click.echo(
        f"{source.name}:{line}:{column}: {severity}: {printable(diagnostic.message)} [{diagnostic.code}]", err=True
    )
    text = source.line_text(line)
    width = max(1, min(diagnostic.span.end - diagnostic.span.start, len(text) - column + 1))
    if text.strip():
        click.echo(f"    {printable(text.expandtabs(1))}", err=True)
        click.echo(f"    {' ' * (column - 1)}{'^' * width}", err=True)
    if diagnostic.hint:
        click.echo(f"  {click.style('hint:', fg='green')} {printable(diagnostic.hint)}", err=True)


def show_error(error: ModelsmithError) -> None:
    """Print an expected error."""
    if isinstance(error, RecipeError) and error.source is not None and error.diagnostics:
        for diagnostic in error.diagnostics:
            show_diagnostic(diagnostic, error.source)
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint:', fg='green')} {printable(error.hint)}", err=True)


def report_bug(error: BaseException) -> None:
    """Write what maintainers need into a file and tell where it is."""
    details = "".join(traceback.format_exception(error))
    header = f"modelsmith {__version__}, Python {platform.python_version()}, {platform.platform()}\narguments: {sys.argv[1:]}\n\n"
    with tempfile.NamedTemporaryFile("w", prefix="modelsmith-", suffix=".log", delete=False) as file:
        file.write(header + details)
    click.echo(
        f"{click.style('error:', fg='red', bold=True)} unexpected {type(error).__name__}: {printable(str(error))}",
        err=True,
    )
    click.echo(f"  this is a bug in modelsmith; the report is in {Path(file.name)}", err=True)
