"""``modelsmith mv``: another name for a model."""

from __future__ import annotations

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import store_option


@click.command("mv")
@click.argument("source", metavar="SOURCE", shell_complete=complete_models)
@click.argument("target", metavar="TARGET", shell_complete=complete_models)
@store_option
@click.option("--force", is_flag=True, help="Replace a model that has the name TARGET.")
def command(source: str, target: str, where: str | None, force: bool) -> int:
    r"""Rename the model SOURCE to TARGET in the same store. Killed in between, both names are there.

    \b
    Example:
      modelsmith mv mario luigi --store ./models
    """
    from modelsmith.cli.models.naming import give_name

    moved = give_name(where, source, target, force=force)
    if moved.changed:
        moved.store.delete(moved.source_name)
    click.echo(f"{moved.source} is called {moved.target} now")
    return 0
