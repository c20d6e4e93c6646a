"""What the commands for a store's folder share: finding it, and showing what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.store.care.survey import Item

folder_option = click.option(
    "--store",
    "where",
    metavar="DIR",
    help="The store's folder. Default: MODELSMITH_STORE, else OLLAMA_MODELS, else ~/.ollama/models.",
)
MOST_SHOWN = 20
"""Lines of one kind that a person is shown."""


def show_items(items: Iterable[Item], what: str) -> None:
    """Print files with their sizes, the first ones of many."""
    from modelsmith.cli.shared.failure import printable

    listed = list(items)
    for item in listed[:MOST_SHOWN]:
        click.echo(f"{what} {size_text(item.status.st_size):>8}  {printable(item.path.name)}")
    if len(listed) > MOST_SHOWN:
        click.echo(f"… and {len(listed) - MOST_SHOWN} more")
