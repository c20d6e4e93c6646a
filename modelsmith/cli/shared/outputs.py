"""Write what a command was asked for with ``-o FILE`` and the like, and say where the file is kept that stood there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

force_option = click.option("--force", is_flag=True, help="Replace FILE; what stood there is kept as FILE.old.")


def write_output(
    path: Path, data: bytes, *, force: bool, option: str, is_ours: Callable[[bytes], bool] | None = None
) -> None:
    """Write a file whole or not at all; raises UsageError where another one stands there, unless ``force``.

    A file that holds ``data`` already is left alone, and an older one of ours (``is_ours``) is replaced without keeping it.
    """
    from modelsmith.errors import system_errors
    from modelsmith.files.outputs import check_output
    from modelsmith.files.replacing import write

    with system_errors():
        check_output(path, force=force, content=data, is_ours=is_ours)
        before = path.read_bytes() if path.exists() else b""
    if before == data:
        return
    kept = write(path, [data], keeps=not (is_ours and is_ours(before)), hint=f"name another place with {option}")
    if kept is not None:
        say_kept(path, kept)


def say_kept(path: Path, kept: Path) -> None:
    """Say on stderr where a file that was replaced is now."""
    beside = path.with_name(kept.name)
    shown = beside if beside.exists() and beside.samefile(kept) else kept
    click.echo(printable(f"replaced {path}; what stood there is kept as {shown}"), err=True)


@contextmanager
def saying_what_is_kept(*paths: Path) -> Iterator[None]:
    """Say at the end which of these files were replaced, and where they are kept."""
    from modelsmith.files.outputs import kept_name

    names = [(path, kept_name(path.resolve())) for path in paths if path.is_file()]
    yield
    for path, kept in names:
        if kept.exists():
            say_kept(path, kept)
