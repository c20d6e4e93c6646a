"""How faults of a GGUF look on the terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.gguf.read.fault import Fault

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_MOST = 5


def show_faults(faults: Iterable[Fault]) -> None:
    """Print faults, the way out below; of many of one kind only the first."""
    for (code, severity), group in groupby(faults, key=lambda fault: (fault.code, fault.severity)):
        alike = list(group)
        word = click.style(severity, fg=_COLOURS[severity], bold=True)
        for fault in alike[:_MOST]:
            places = [printable(fault.shard)] if fault.shard else []
            places += [f"byte {fault.offset:,}"] if fault.offset is not None else []
            place = f"{', '.join(places)}: " if places else ""
            expected = f" (expected {printable(fault.expected)})" if fault.expected else ""
            click.echo(f"  {word}: {place}{printable(fault.message)}{expected} [{code}]")
        if len(alike) > _MOST:
            click.echo(f"  … and {len(alike) - _MOST} more of the kind {code}; --json has all")
        if alike[0].hint:
            click.echo(f"    {click.style('hint:', fg='green')} {printable(alike[0].hint)}")
