"""The type of options that name a file to read."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from modelsmith.errors import UnreadableFile


class InputFile(click.Path):
    """A file to read: one that is missing or a folder is an UnreadableFile, as it is where a command opens it itself.

    ``exists`` is False for a file that a command may do without.
    """

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, dir_okay=False, path_type=Path)

    def fail(self, message: str, param: click.Parameter | None = None, ctx: click.Context | None = None) -> NoReturn:
        """Raise UnreadableFile with click's own words, and the option that named the file."""
        del ctx
        option = f" ({param.opts[0]})" if param is not None else ""
        said = message.rstrip(".")
        raise UnreadableFile(
            f"{said[:1].lower()}{said[1:]}{option}", hint="name a file that exists and is yours to read"
        )
