"""``modelsmith export``: models in one file, for machines without a network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.cli.shared.outputs import force_option


@click.command("export")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_models)
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The bundle, mostly .tar.",
)
@click.option(
    "--split", metavar="SIZE", help="Cut it into parts FILE.001, FILE.002 … of at most this size, such as 4G."
)
@click.option("--zstd", "compress", is_flag=True, help='Compress it; needs pip install "modelsmith[bundle]".')
@force_option
@store_option
@click.option("--dry-run", is_flag=True, help="Say what would be written. Changes nothing.")
@json_option
def command(
    names: tuple[str, ...],
    target: Path,
    split: str | None,
    compress: bool,
    force: bool,
    where: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    r"""Write models into one file: an OCI image layout in a tar, every blob once, hashed on the way.

    The same models make the same bytes. `modelsmith load` brings them into a store, a server or a registry.

    \b
    Examples:
      modelsmith export mario -o mario.tar --store ./models
      modelsmith export mario luigi -o team.tar --split 4G --store ./models
    """
    from modelsmith.cli.moving.bundles import files_behind
    from modelsmith.cli.shared.outputs import say_kept
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.cli.shared.sizes import size_text
    from modelsmith.name import ModelName
    from modelsmith.registry.bundle.read import layers_of
    from modelsmith.registry.bundle.write import export
    from modelsmith.store.open import open_existing_store
    from modelsmith.weights.gguf.arrange.split import parse_size

    asked = list(dict.fromkeys(map(ModelName.strict, names)))
    store = files_behind(open_existing_store(where), asked)
    if dry_run:
        layers = layers_of(store.layout.manifest(name) for name in asked)
        size = sum(layers.values())
        click.echo(f"would write {len(asked)} models, {len(layers)} blobs, {size_text(size)} to {target}")
        return 0
    limit = parse_size(split) if split else None
    with progress_bars(enabled=not as_json) as progress:
        receipt = export(store, asked, target, split=limit, compress=compress, force=force, progress=progress)
    for path, kept in receipt.kept:
        say_kept(path, kept)
    if as_json:
        models = [{"name": name.short, "manifest": str(digest)} for name, digest in receipt.models]
        body = {
            "files": [str(path) for path in receipt.paths],
            "size": receipt.size,
            "blobs": receipt.blobs,
            "index": str(receipt.index),
            "found": receipt.found,
            "models": models,
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return 0
    for name, digest in receipt.models:
        click.echo(f"{name.short}  {digest}")
    if receipt.found:
        whole = "all of it was there already" if receipt.found == receipt.size else "the rest of an earlier run's"
        click.echo(f"{size_text(receipt.found)} were not written again: {whole}", err=True)
    files = str(receipt.paths[0]) + (f" … {receipt.paths[-1].name}" if len(receipt.paths) > 1 else "")
    click.echo(f"{files}: {receipt.blobs} blobs, {size_text(receipt.size)}; index {receipt.index}")
    return 0
