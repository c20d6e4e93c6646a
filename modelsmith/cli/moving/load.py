"""``modelsmith load``: models out of a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions


@click.command("load")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="List the models in the bundle. Changes nothing.")
@click.option("--as", "new_name", metavar="NAME", help="The name that the one model gets here.")
@click.option(
    "--to",
    "target",
    metavar="oci://HOST/NAMESPACE",
    help="Send the models to a registry, each under its own name, instead of a store.",
)
@moving_options
def command(
    options: MovingOptions,
    bundle: Path,
    names: tuple[str, ...],
    only_list: bool,
    new_name: str | None,
    target: str | None,
) -> int:
    r"""Bring the models of BUNDLE, or those that are named, into a store, a server or a registry, every byte verified.

    What an interrupted run brought is not brought again. Any part stands for a bundle that was cut into parts.

    \b
    Examples:
      modelsmith load mario.tar --list
      modelsmith load mario.tar --store ./elsewhere
      modelsmith load team.tar.001 --to oci://registry.example.com/team
    """
    from modelsmith.cli.moving.bundles import into_registry, into_store
    from modelsmith.cli.shared.sizes import size_text, table
    from modelsmith.errors import UsageError
    from modelsmith.name import ModelName
    from modelsmith.registry.bundle.read import Bundle

    opened = Bundle(bundle)
    asked = [opened.find(ModelName.strict(name)) for name in names] or list(opened.models)
    if new_name and len(asked) != 1:
        raise UsageError(f"--as names one model, and {len(asked)} would be loaded", hint="name the one that is meant")
    if only_list:
        rows = [(name, opened.models[name]) for name in asked]
        sizes = [sum(layer.size for layer in manifest.blobs) for _, manifest in rows]
        if options.as_json:
            listed = [
                {"name": name.short, "manifest": str(manifest.digest), "size": size}
                for (name, manifest), size in zip(rows, sizes, strict=True)
            ]
            click.echo(json.dumps(listed, ensure_ascii=False))
        else:
            lines = [("NAME", "ID", "SIZE")]
            lines += [
                (name.short, manifest.digest.short, size_text(size))
                for (name, manifest), size in zip(rows, sizes, strict=True)
            ]
            click.echo("\n".join(table(lines)))
        return 0
    if target:
        return into_registry(opened, asked, target, options)
    renamed = ModelName.strict(new_name) if new_name else None
    return into_store(opened, [(name, renamed or name) for name in asked], options)
