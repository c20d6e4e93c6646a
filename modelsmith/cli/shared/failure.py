"""How errors look: a sentence, the place with a caret, the way out; and the report of a bug."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.about import __version__
from modelsmith.errors import ModelsmithError, RecipeError
from modelsmith.hidden import unseen
from modelsmith.source import spelled

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source

_WINDOW = 160  # characters of a line that are shown
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def printable(text: str) -> str:
    """Return ``text`` without control characters, which must not steer the terminal, and without secrets."""
    return "".join(char if char.isprintable() or char in "\n\t" else spelled(char) for char in unseen(text))


def show_diagnostic(diagnostic: Diagnostic, source: Source) -> None:
    """Print a diagnostic with its place to standard error."""
    click.echo(diagnostic_text(diagnostic, source), err=True)


def diagnostic_text(diagnostic: Diagnostic, source: Source, mark: str = "") -> str:
    """Return ``file:line:column: severity: message [code]``, the line, and a caret under the place.

    Of a line that is very long only the part around the place is shown.
    """
    line, column = source.position(diagnostic.span.start)
    severity = click.style(diagnostic.severity, fg=_COLOURS[diagnostic.severity], bold=True)
    place = click.style(f"{printable(source.name)}:{line}:{column}:", bold=True)
    lines = [f"{place} {severity}: {printable(diagnostic.message)} [{diagnostic.code}]{mark}"]
    text = source.line_text(line)
    if text.strip():
        first = max(0, column - 1 - _WINDOW // 2) if len(text) > _WINDOW else 0
        window = text[first : first + _WINDOW]
        at = min(column - 1 - first, len(window))
        length = max(1, min(diagnostic.span.end - diagnostic.span.start, len(window) - at))
        before, marked = _shown(window[:at]), _shown(window[at : at + length])
        cut = "…" if first else ""
        more = "…" if first + _WINDOW < len(text) else ""
        lines.append(f"    {cut}{_shown(window)}{more}")
        caret = click.style("^" * max(1, _width(marked)), fg=_COLOURS[diagnostic.severity])
        lines.append(f"    {' ' * (len(cut) + _width(before))}{caret}")
    if diagnostic.hint:
        lines.append(f"  {click.style('hint:', fg='green')} {printable(diagnostic.hint)}")
    return "\n".join(lines)


def _shown(text: str) -> str:
    return printable(text.expandtabs(1))


def _width(text: str) -> int:
    """Return how many columns a terminal gives a text: East Asian characters take two, joined ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def show_error(error: ModelsmithError) -> None:
    """Print an expected error."""
    from modelsmith.masking import masked

    if isinstance(error, RecipeError) and error.source is not None and error.diagnostics:
        for diagnostic in error.diagnostics:
            show_diagnostic(diagnostic, error.source)
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(masked(error.message))}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint:', fg='green')} {printable(masked(error.hint))}", err=True)


def show_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with the words of the command line, the usage first; none of them can steer the terminal.

    A group without a command is answered with its help alone.
    """
    from modelsmith.masking import masked

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(masked(error.format_message()))}", err=True)


def report_bug(error: BaseException) -> None:
    """Write what maintainers need into a file and tell where it is."""
    import platform
    import tempfile
    import traceback

    from modelsmith.masking import masked, masked_arguments, masked_log

    details = "".join(traceback.format_exception(error))
    header = f"modelsmith {__version__}, Python {platform.python_version()}, {platform.platform()}\narguments: {masked_arguments(sys.argv[1:])}\n\n"
    with tempfile.NamedTemporaryFile("w", prefix="modelsmith-", suffix=".log", delete=False) as file:
        file.write(unseen(header + masked_log(details)))
    click.echo(
        f"{click.style('error:', fg='red', bold=True)} unexpected {type(error).__name__}: {printable(masked(str(error)))}",
        err=True,
    )
    click.echo(f"  this is a bug in modelsmith; the report is in {Path(file.name)}", err=True)
