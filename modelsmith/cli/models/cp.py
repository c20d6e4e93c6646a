"""``modelsmith cp``: a second name for a model."""

from __future__ import annotations

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import store_option


@click.command("cp")
@click.argument("source", metavar="SOURCE", shell_complete=complete_models)
@click.argument("target", metavar="TARGET", shell_complete=complete_models)
@store_option
@click.option("--force", is_flag=True, help="Replace a model that has the name TARGET.")
def command(source: str, target: str, where: str | None, force: bool) -> int:
    r"""Give the model SOURCE the second name TARGET in the same store. The weights are not copied.

    \b
    Example:
      modelsmith cp mario luigi --store ./models
    """
    from modelsmith.cli.models.naming import give_name

    copied = give_name(where, source, target, force=force)
    click.echo(f"{copied.target} is {copied.source} now")
    return 0
