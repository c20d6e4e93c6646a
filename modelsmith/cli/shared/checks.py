"""What was looked at, line by line: how bad it is, what it is, and the way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.store.care.doctor import Check

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan", "fine": "green"}


def show_checks(checks: Sequence[Check], *, as_json: bool) -> int:
    """Print checks, and return the exit code: 1 where one of them is a warning or an error."""
    if as_json:
        rows = [
            {"name": check.name, "severity": check.severity or "fine", "text": check.text, "hint": check.hint}
            for check in checks
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for check in checks:
            word = str(check.severity or "fine")
            click.echo(f"{click.style(f'{word:7}', fg=_COLOURS[word])}  {check.name}: {printable(check.text)}")
            if check.hint:
                click.echo(f"         {click.style('hint:', fg='green')} {printable(check.hint)}")
    return int(any(check.severity in {"warning", "error"} for check in checks))
