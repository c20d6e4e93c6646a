"""``modelsmith store path``: where things are."""

from __future__ import annotations

import json

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.cli.store.folder import folder_option


@click.command("path")
@click.argument("name", metavar="[MODEL]", required=False)
@folder_option
@json_option
def command(name: str | None, where: str | None, as_json: bool) -> int:
    r"""Print the store's folder; with MODEL the file of its weights.

    --json lists the manifest and every blob of MODEL with its type and size. Changes nothing.

    \b
    Examples:
      modelsmith store path
      llama-cli -m "$(modelsmith store path llama3.2:3b)"
      modelsmith store path llama3.2:3b --json
    """
    from modelsmith.errors import BlobNotFound, Unsupported
    from modelsmith.name import ModelName
    from modelsmith.store.open import open_folder

    store = open_folder(where)
    layout = store.layout
    if name is None:
        folder = {"folder": str(layout.folder), "blobs": str(layout.blobs), "manifests": str(layout.manifests)}
        click.echo(json.dumps(folder, ensure_ascii=False) if as_json else str(layout.folder))
        return 0
    found = layout.existing(ModelName.strict(name))
    manifest = layout.manifest(found)
    if as_json:
        blobs = [
            {"type": layer.media_type, "path": str(layout.blob_path(layer.digest)), "size": layer.size}
            for layer in manifest.blobs
        ]
        place = layout.newer(found) or layout.manifest_path(found)
        click.echo(json.dumps({"name": found.short, "manifest": str(place), "blobs": blobs}, ensure_ascii=False))
        return 0
    from modelsmith.manifest import MODEL

    weights = manifest.of_type(MODEL)
    if not weights:
        raise Unsupported(f"{found.short} has no file of weights", hint="--json lists what it has")
    path = layout.blob_path(weights[-1].digest)
    if not path.exists():
        raise BlobNotFound(f"{path} is missing", hint="`modelsmith store fsck --repair` fetches it again")
    click.echo(str(path))
    return 0
