"""Progress bars for long work, on standard error; plain silence where it is not a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.progress import Progress, ProgressSink


FORCED = frozenset(("FORCE_COLOR", "TTY_COMPATIBLE"))
"""Variables by which rich takes for a terminal what the system does not."""

_SOON = 0.25
"""Seconds after which work counts as long: what is done sooner draws no bar."""


def _tell(progress: Progress) -> None:
    if progress.is_notice:
        click.echo(f"note: {printable(progress.status)}", err=True)


@contextmanager
def progress_bars(*, enabled: bool = True) -> Iterator[ProgressSink]:
    """Yield a sink that draws one bar for each status with a size; notices are printed in any case."""
    from modelsmith.cli.shared.streams import cursor_stream

    if not (enabled and (sys.stderr.isatty() or FORCED.intersection(os.environ))):
        yield _tell
        return
    from modelsmith.cli.shared.terminal import Terminal

    console = Terminal(file=cursor_stream(sys.stderr))
    if not console.is_terminal:
        yield _tell
        return
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bars = Bars(*columns, console=console, transient=True)
    tasks: dict[str, TaskID] = {}
    begun = monotonic()

    def show(progress: Progress) -> None:
        if progress.is_notice:
            bars.console.print(f"note: {printable(progress.status)}", markup=False, highlight=False)
        if progress.total:
            if monotonic() - begun > _SOON:
                bars.start()
            key = progress.status + progress.digest
            if key not in tasks:
                tasks[key] = bars.add_task(printable(progress.status[:40]), total=progress.total)
            bars.update(tasks[key], completed=progress.completed)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
