"""Sizes and tables as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def size_text(size: float) -> str:
    """Return a size in decimal units, as ``ollama list`` does: ``4.7 GB``."""
    for factor, unit in _UNITS:
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns stand below each other; what does not print is made visible."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
