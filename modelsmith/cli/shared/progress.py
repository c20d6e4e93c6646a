"""Progress bars for long work, on standard error; plain silence where it is not a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.progress import Progress, ProgressSink


def _tell(progress: Progress) -> None:
    if progress.is_notice:
        click.echo(f"note: {printable(progress.status)}", err=True)


@contextmanager
def progress_bars(*, enabled: bool = True) -> Iterator[ProgressSink]:
    """Yield a sink that draws one bar for each status with a size; notices are printed in any case."""
    from rich.console import Console

    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield _tell
        return
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.is_notice:
                bars.console.print(f"note: {printable(progress.status)}", markup=False, highlight=False)
            if not progress.total:
                return
            key = progress.status + progress.digest
            if key not in tasks:
                tasks[key] = bars.add_task(progress.status[:40], total=progress.total)
            bars.update(tasks[key], completed=progress.completed)

        yield show
