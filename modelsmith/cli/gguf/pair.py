"""``modelsmith gguf pair``: which projector belongs to which model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.weights.gguf.pair import Pairing


@click.command("pair")
@click.argument("paths", metavar="FOLDER|FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def command(paths: tuple[Path, ...], as_json: bool) -> int:
    r"""Pair projectors (mmproj files) with the text models they were made for, and print the FROM lines.

    They belong together where the embeddings are equally wide; among several models of that width the most alike name wins.
    Exit code 1 where a projector fits no model that is there, or nothing could be paired; 3 where a named file cannot be read.

    \b
    Examples:
      modelsmith gguf pair ~/Downloads
      modelsmith gguf pair gemma-3-4b-it-Q4_K_M.gguf mmproj-model-f16.gguf
      modelsmith gguf pair . --json
    """
    from modelsmith.weights.gguf.pair import pair_files

    pairing = pair_files(paths)
    if as_json:
        click.echo(_data(pairing))
    else:
        _show(pairing)
    if any(path in paths for path, _ in pairing.unreadable):
        return 3
    return 0 if pairing.pairs and not pairing.alone else 1


def _show(pairing: Pairing) -> None:
    from modelsmith.cli.shared.failure import printable

    for pair in pairing.pairs:
        note = "" if pair.certain else "; other models are as wide and named alike: check that it is this one"
        about = f"{pair.projector.kind}, {pair.projector.width} wide like {pair.model.architecture}{note}"
        click.echo(click.style(f"# {printable(about)}", dim=True))
        for line in pair.from_lines():
            click.echo(printable(line))
    for projector in pairing.alone:
        reasons = "; ".join(f"{printable(model.path.name)}: {projector.refuses(model)}" for model in pairing.models)
        wide = (
            f"makes embeddings {projector.width} wide"
            if projector.width
            else "does not say how wide its embeddings are"
        )
        click.echo(
            f"{printable(str(projector.path))}: {wide}; {f'it goes with no model here: {reasons}' if reasons else 'no model is here'}"
        )
    for path, reason in pairing.unreadable:
        click.echo(click.style(f"{printable(str(path))} cannot be read: {printable(reason)}", fg="yellow"), err=True)
    if not pairing.pairs and not pairing.alone:
        click.echo("there is no projector among these files")


def _data(pairing: Pairing) -> str:
    pairs = [
        {
            "model": str(pair.model.path),
            "projector": str(pair.projector.path),
            "type": pair.projector.kind,
            "width": pair.projector.width,
            "certain": pair.certain,
            "from": list(pair.from_lines()),
        }
        for pair in pairing.pairs
    ]
    alone = [{"projector": str(projector.path), "width": projector.width} for projector in pairing.alone]
    unreadable = [{"path": str(path), "reason": reason} for path, reason in pairing.unreadable]
    return json.dumps({"pairs": pairs, "alone": alone, "unreadable": unreadable}, ensure_ascii=False)
