"""Two models asked the same, side by side."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from modelsmith.cli.running.ask import AskReport, ask, asked_json, show_remarks, stats_line
from modelsmith.cli.running.model_text import AnswerWriter, harmless, json_text
from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.engines.choose import Choice
    from modelsmith.engines.protocol import Request


def show_both(choices: Sequence[Choice], names: Sequence[str], request: Request, *, as_json: bool) -> int:
    """Ask one model after the other, so that only one is loaded here at a time, and print both answers."""
    both: list[AskReport] = []
    try:
        for choice in choices:
            both.append(ask(choice, request))
            choice.engine.close()
    finally:
        for choice in choices:
            choice.engine.close()
    if as_json:
        rows = [
            asked_json(name, choice.engine.location, asked)
            for choice, name, asked in zip(choices, names, both, strict=True)
        ]
        click.echo(json_text({"models": rows}))
    elif sys.stdout.isatty():
        _show_table(names, both)
    else:
        for name, asked in zip(names, both, strict=True):
            click.echo(f"== {printable(name)}")
            writer = AnswerWriter()
            if asked.answer.reasoning:
                writer.write(asked.answer.reasoning, is_reasoning=True)
            writer.write(asked.answer.content, is_reasoning=False)
            writer.end()
            show_remarks(asked, quiet=False)
    return 0


def _show_table(names: Sequence[str], both: Sequence[AskReport]) -> None:
    from rich.table import Table
    from rich.text import Text

    from modelsmith.cli.shared.terminal import Terminal

    table = Table(expand=True)
    for name in names:
        table.add_column(Text(printable(name)), ratio=1)
    if any(asked.answer.reasoning for asked in both):
        table.add_row(
            *(Text(harmless(asked.answer.reasoning.strip()), style="dim") for asked in both), end_section=True
        )
    table.add_row(*(Text(harmless(asked.answer.content.strip())) for asked in both), end_section=True)
    calls = ["\n".join(f"{call.name}({call.text})" for call in asked.answer.tool_calls) for asked in both]
    if any(calls):
        table.add_row(*(Text(harmless(call), style="cyan") for call in calls), end_section=True)
    cuts = [asked.cut for asked in both]
    if any(cuts):
        table.add_row(*(Text(cut, style="yellow") for cut in cuts), end_section=True)
    table.add_row(*(Text(stats_line(asked), style="dim") for asked in both))
    Terminal(highlight=False).print(table)
