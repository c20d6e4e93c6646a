"""``modelsmith rm``: remove models."""

from __future__ import annotations

import json

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.cli.shared.streams import declined


@click.command("rm")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_models)
@store_option
@click.option("--dry-run", is_flag=True, help="Say which models would go. Changes nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def command(names: tuple[str, ...], where: str | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    r"""Remove each model NAME, and at once the blobs that only it used; says how many bytes that frees.

    In a terminal you are asked before.

    \b
    Examples:
      modelsmith rm luigi --store ./models --dry-run
      modelsmith rm luigi --store ./models --yes
    """
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.errors import ModelNotFound, StoreError
    from modelsmith.name import ModelName
    from modelsmith.store.open import open_existing_store

    asked = [ModelName.strict(name) for name in names]
    store = open_existing_store(where)
    listed = {str(row.name).lower(): row for row in store.listing().models}
    for name in asked:
        if str(name).lower() not in listed:
            try:
                store.show(name)
            except ModelNotFound:
                if not dry_run:
                    store.delete(name)  # tidies up behind a removal that was killed, and says the same
                raise
            except StoreError:
                continue  # damaged: it can be removed all the same
    if dry_run:
        for name in asked:
            row = listed.get(str(name).lower())
            size = f", {size_text(row.size)}" if row else ""
            alone = (
                f", of which it alone uses {size_text(row.size - row.shared)}" if row and row.shared is not None else ""
            )
            click.echo(f"would remove {name.short}{size}{alone}")
        return 0
    if declined(f"Remove {', '.join(name.short for name in asked)}?", yes=yes):
        return 1
    removed = [(name.short, store.delete(name)) for name in asked]
    if as_json:
        click.echo(json.dumps([{"name": name, "freed": freed} for name, freed in removed]))
        return 0
    for gone, freed in removed:
        told = "the server does not say how much that frees" if freed is None else f"freed {size_text(freed)}"
        click.echo(f"removed {gone}: {told}")
    return 0
