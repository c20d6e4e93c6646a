"""``modelsmith store ls``: the models of a store."""

from __future__ import annotations

import json

import click

from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.errors import ServerError, StoreError


@click.command("ls")
@store_option
@json_option
def command(where: str | None, as_json: bool) -> int:
    r"""List the models: name, ID (as `ollama list` prints it), size, capabilities.

    Exit code 1: a model is damaged; it is named on the error output.

    \b
    Example:
      modelsmith store ls --store ./models
    """
    from modelsmith.cli.shared.failure import printable, show_error
    from modelsmith.store.open import open_existing_store

    store = open_existing_store(where)
    models, damaged = [], 0
    for name in store.models():
        try:
            models.append(store.show(name))
        except ServerError:
            raise
        except StoreError as error:
            damaged = 1
            show_error(error)
    if as_json:
        rows = [
            {
                "name": model.name.short,
                "digest": model.digest,
                "size": model.size,
                "family": model.family,
                "capabilities": sorted(model.capabilities),
            }
            for model in models
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return damaged
    if not models:
        if damaged:
            return damaged
        click.echo(f"no models in {store.location}")
        return damaged
    from modelsmith.cli.shared.sizes import size_text

    table = [("NAME", "ID", "SIZE", "FAMILY", "CAPABILITIES")]
    for model in models:
        capabilities = ", ".join(sorted(model.capabilities))
        table.append(
            (model.name.short, model.digest[:12], size_text(model.size), printable(model.family), capabilities)
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return damaged
