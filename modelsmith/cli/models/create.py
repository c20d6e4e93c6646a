"""``modelsmith create``: a model from a plain Modelfile, without a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_files, complete_models
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.cli.shared.streams import declined
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.name import ModelName
    from modelsmith.store import Store
    from modelsmith.store.model import CreatePreview


@click.command("create")
@click.argument("name", metavar="NAME", shell_complete=complete_models)
@click.option(
    "-f",
    "--file",
    "path",
    type=InputFile(),
    default=Path("Modelfile"),
    show_default=True,
    metavar="FILE",
    help="The Modelfile.",
    shell_complete=complete_files,
)
@store_option
@click.option("--as-is", is_flag=True, help="Keep a GGUF's bytes (linked) instead of Ollama's canonical order.")
@click.option("--dry-run", is_flag=True, help="Show the layers and the bytes to write. Changes nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before a model is replaced.")
@json_option
def command(name: str, path: Path, where: str | None, as_is: bool, dry_run: bool, yes: bool, as_json: bool) -> int:
    r"""Create the model NAME from a Modelfile, byte for byte as `ollama create` does, with or without a server.

    A model of that name is replaced; in a terminal you are asked before.

    \b
    Examples:
      modelsmith create mario -f Modelfile --store ./models
      modelsmith create mario --dry-run --store ./models
    """
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.files.text import read_text_file
    from modelsmith.models.build import request_of
    from modelsmith.name import ModelName
    from modelsmith.store.open import open_store, tidied
    from modelsmith.syntax.modelfile.modelfile import Modelfile

    target = ModelName.strict(name)
    if path.suffix.lower() == ".gguf" and path.is_file():
        raise UsageError(
            f"{path} is a GGUF, no Modelfile",
            hint=f"write FROM {path} into a Modelfile, or: modelsmith apply import-gguf --set base={path} --set name={name}",
        )
    request = request_of(Modelfile.parse(read_text_file(path)), path.absolute().parent, source=str(path))
    store = open_store(where)
    if dry_run:
        _show(store.preview(target, request, as_is=as_is), target.short, store.location, as_json=as_json)
        return 0
    tidied(store)
    stands = _stands(store, target)
    changes = not stands or store.preview(target, request, as_is=as_is).changes  # a new model needs no comparison
    if stands and changes and declined(f"Replace {target.short}?", yes=yes):
        return 1
    if changes:
        with progress_bars(enabled=not as_json) as progress:
            model = store.create(target, request, as_is=as_is, progress=progress)
    else:
        model = store.show(target)
    if as_json:
        click.echo(
            json.dumps({"name": target.short, "store": store.location, "changed": changes, "digest": model.digest})
        )
    elif changes:
        click.echo(f"{click.style('created', fg='green')} {target.short} in {store.location}")
    else:
        click.echo(f"no changes: {target.short} in {store.location} is already as {path} says")
    return 0


def _stands(store: Store, name: ModelName) -> bool:
    """Say whether a model of this name is there, damaged or not."""
    from modelsmith.errors import ModelNotFound, ServerError, StoreError

    try:
        store.show(name)
    except ModelNotFound:
        return False
    except StoreError as error:
        if isinstance(error, ServerError):
            raise
    return True


def _show(preview: CreatePreview, name: str, location: str, *, as_json: bool) -> None:
    from modelsmith.cli.shared.sizes import size_text, table

    if as_json:
        layers = [
            {
                "type": layer.media_type,
                "size": layer.size,
                "how": layer.how,
                "digest": str(layer.digest) if layer.digest else None,
            }
            for layer in preview.layers
        ]
        click.echo(
            json.dumps({"name": name, "changes": preview.changes, "bytes": preview.bytes_to_write, "layers": layers})
        )
        return
    rows = [("LAYER", "SIZE", "HOW", "DIGEST")]
    rows += [
        (
            layer.media_type.rpartition(".")[2].removesuffix("+json"),
            size_text(layer.size),
            layer.how,
            layer.digest.short if layer.digest else "",
        )
        for layer in preview.layers
    ]
    click.echo("\n".join(table(rows)))
    verdict = f"to write: {size_text(preview.bytes_to_write)}" if preview.changes else "no changes"
    click.echo(f"{name} in {location}: {verdict}")
