"""``modelsmith list``: the models of a store, their sizes and what they share."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option, store_option

if TYPE_CHECKING:
    from modelsmith.store.listing import ListedModel

_AGES = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (7 * 86400, "week"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


@click.command("list")
@click.argument("prefix", metavar="[PREFIX]", default="")
@store_option
@json_option
def command(prefix: str, where: str | None, as_json: bool) -> int:
    r"""List the models, or those whose names begin with PREFIX: ID, size, and how much of it other models use too.

    Exit code 1: a model is damaged; it is named on the error output.

    \b
    Examples:
      modelsmith list --store ./models
      modelsmith list deepseek --store ./models --json
    """
    from modelsmith.cli.shared.failure import show_error
    from modelsmith.store.open import open_existing_store

    store = open_existing_store(where)
    listing = store.listing()
    rows = [row for row in listing.models if row.name.short.lower().startswith(prefix.lower())]
    for error in listing.damaged:
        show_error(error)
    if as_json:
        click.echo(json.dumps([_data(row) for row in rows], ensure_ascii=False))
    elif not rows:
        click.echo(f"no models in {store.location}" + (f" whose name begins with {prefix}" if prefix else ""))
    else:
        _print(rows)
    return int(bool(listing.damaged))


def _print(rows: list[ListedModel]) -> None:
    from modelsmith.cli.shared.sizes import size_text, table

    now = time.time()
    lines = [("NAME", "ID", "SIZE", "SHARED", "MODIFIED")]
    lines += [
        (
            row.name.short,
            row.digest[:12],
            size_text(row.size),
            "?" if row.shared is None else size_text(row.shared) if row.shared else "-",
            "?" if row.modified is None else _age(now - row.modified),
        )
        for row in rows
    ]
    click.echo("\n".join(table(lines)))


def _age(seconds: float) -> str:
    for length, unit in _AGES:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _data(row: ListedModel) -> dict[str, object]:
    return {
        "name": row.name.short,
        "digest": row.digest,
        "size": row.size,
        "shared": row.shared,
        "modified": row.modified,
    }
