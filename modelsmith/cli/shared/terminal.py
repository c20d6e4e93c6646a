"""The terminal that plans and tables are printed to."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from modelsmith.cli.shared.streams import has_colour


class Terminal(Console):
    """A console of rich without styles where the user wants none, or the terminal knows none."""

    def __init__(self, **options: Any) -> None:
        """Take the options of rich's Console."""
        if not has_colour():
            options["color_system"] = None
        super().__init__(**options)
