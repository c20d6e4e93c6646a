"""The terminal that plans and tables are printed to."""

from __future__ import annotations

from rich.console import Console


class Terminal(Console):
    """A console of rich that leaves it to the program what a reader that went away means."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError again; rich itself would exit with 1, which means findings here."""
        raise BrokenPipeError
