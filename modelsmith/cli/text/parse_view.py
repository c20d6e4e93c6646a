"""How ``modelsmith parse`` looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from modelsmith.cli.shared.failure import printable, show_diagnostic
from modelsmith.cli.shared.terminal import Terminal
from modelsmith.source import Source
from modelsmith.syntax.modelfile.diagnose import diagnose, is_faulty

if TYPE_CHECKING:
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.syntax.modelfile.reading import ReadingError
    from modelsmith.syntax.modelfile.request import ResolvedRequest

LONGEST_VALUE = 300
MOST = 500
"""Instructions and refusals that are listed; more are for other programs to read."""


def show_commands(path: str, modelfile: Modelfile, request: ResolvedRequest | None) -> None:
    """Print the instructions of an accepted file with their lines, and the files it names."""
    source = Source(modelfile.text, printable(path))
    table = Table(
        "line", "instruction", "value", title=Text(printable(path)), title_justify="left", box=None, pad_edge=False
    )
    instructions = modelfile.instructions
    for instruction in instructions[:MOST]:
        line, _ = source.position(instruction.span.start)
        label = f"{instruction.keyword} {instruction.name}".rstrip()
        table.add_row(str(line), Text(label, "bold"), Text(_shortened(instruction.value)))
    console = Terminal(highlight=False)
    console.print(table)
    if len(instructions) > MOST:
        console.print(Text(f"… {len(instructions) - MOST:,} more instructions; --json prints all", "dim"))
    if request is None:
        return
    for title, files in (("FROM", request.files), ("DRAFT", request.draft_files), ("ADAPTER", request.adapters)):
        for name, file in files.items():
            console.print(Text(f"{title} sends {printable(name)} ({file.stat().st_size:,} bytes)"))
    for name in request.ignored:
        console.print(Text(f"Ollama ignores PARAMETER {name}: it is deprecated", "yellow"))


def show_refusal(path: str, modelfile: Modelfile, error: ReadingError) -> None:
    """Print Ollama's own words, then every place at which it would stop."""
    click.echo(
        f"{printable(path)}: {click.style('Ollama refuses it:', fg='red', bold=True)} {printable(str(error))}", err=True
    )
    source = Source(modelfile.text, printable(path))
    faulty = [node for node in modelfile.nodes if is_faulty(node)]
    for diagnostic in diagnose(faulty[:MOST]):
        show_diagnostic(diagnostic, source)
    if len(faulty) > MOST:
        click.echo(f"… and {len(faulty) - MOST:,} more places", err=True)


def _shortened(value: str) -> str:
    shown = printable(value)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[:LONGEST_VALUE]}… ({len(value):,} characters)"
