"""``modelsmith tag``: further tags for a model."""

from __future__ import annotations

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import store_option


@click.command("tag")
@click.argument("name", metavar="NAME", shell_complete=complete_models)
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@store_option
@click.option("--force", is_flag=True, help="Replace models that have such a name.")
def command(name: str, tags: tuple[str, ...], where: str | None, force: bool) -> int:
    r"""Give the model NAME further tags: `tag mario v2` makes mario:v2. A TAG with : or / in it is a whole name.

    \b
    Example:
      modelsmith tag mario v2 stable --store ./models
    """
    from dataclasses import replace

    from modelsmith.cli.models.naming import give_name
    from modelsmith.name import ModelName

    source = ModelName.strict(name)
    targets = [tag if ":" in tag or "/" in tag else str(replace(source, tag=tag)) for tag in tags]
    for target in targets:
        ModelName.strict(target)
    for target in targets:
        tagged = give_name(where, name, target, force=force)
        click.echo(f"{tagged.target} is {tagged.source} now")
    return 0
