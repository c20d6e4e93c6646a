"""``modelsmith materialize``: a folder that is a store with just these models, ready to be copied into an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import json_option, store_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.name import ModelName
    from modelsmith.store.local.local import LocalStore


@click.command("materialize")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_models)
@click.option("--into", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="The new store.")
@store_option
@json_option
def command(names: tuple[str, ...], folder: Path, where: str | None, as_json: bool) -> int:
    r"""Write a store that holds just these models: for `COPY DIR /models` in a Dockerfile.

    On one disk the blobs are linked: next to nothing is written. Never write into a file of either store.

    \b
    Example:
      modelsmith materialize mario --into ./image --store ./models
    """
    from modelsmith.cli.moving.bundles import files_behind
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.name import ModelName
    from modelsmith.registry.moving import Mover
    from modelsmith.store.local.local import LocalStore
    from modelsmith.store.open import open_existing_store

    asked = list(dict.fromkeys(map(ModelName.strict, names)))
    store = files_behind(open_existing_store(where), asked)
    target = LocalStore(folder)
    _check_target(store, target, asked)
    rows = []
    with progress_bars(enabled=not as_json) as progress, Mover(None, progress) as mover:
        for name in asked:
            moved = mover.link(store, store.layout.existing(name), target)
            rows.append({"name": name.short, "manifest": str(moved.manifest.digest), "bytes": moved.bytes_moved})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        click.echo(
            f"{row['name']} in {folder}: {size_text(int(str(row['bytes'])))} linked or copied, {row['manifest']}"
        )
    return 0


def _check_target(store: LocalStore, target: LocalStore, asked: Sequence[ModelName]) -> None:
    """Raise UsageError where a model would take the place of another."""
    from modelsmith.errors import ModelNotFound, UsageError

    for name in asked:
        try:
            there = target.layout.manifest(name)
        except ModelNotFound:
            continue
        if there.digest != store.layout.manifest(name).digest:
            raise UsageError(
                f"{target.layout.folder} has another model called {name.short}: it would be lost",
                hint=f"name a new folder, or remove it first: modelsmith rm {name.short} --store {target.layout.folder}",
            )
