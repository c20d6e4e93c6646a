"""``modelsmith inspect``: what a checkpoint is, and what would become of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import checkpoint_at, json_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.convert.preflight import Preflight, Remark

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command("inspect")
@click.argument("source", metavar="FOLDER")
@json_option
def command(source: str, as_json: bool) -> int:
    r"""Look at FOLDER, a model for Transformers, or hf://ORG/REPO before it is imported: headers and small files only.

    Says the family, the tokenizer, what is missing or too much, how large the GGUF would be in each type, and what Ollama's own
    import of the folder would stumble over. Exit code 1 where the import would fail.

    \b
    Example:
      modelsmith inspect ./my-finetune
    """
    from modelsmith.weights.convert.preflight import preflight

    found = preflight(checkpoint_at(source, whole=False))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _show(found)
    return 0 if found.works else 1


def _show(found: Preflight) -> None:
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.sizes import size_text

    click.echo(click.style(printable(str(found.checkpoint.folder)), bold=True))
    rows = [
        ("architecture", f"{found.architecture}{f' -> {found.family}' if found.family else ''}"),
        ("tokenizer", found.tokenizer),
        ("parameters", f"{found.parameters:,}" if found.parameters else ""),
        ("files", f"{len(found.checkpoint.shard_names)}, {size_text(found.bytes)}"),
    ]
    rows += [(f"  {name}", size_text(size)) for name, size in found.sizes.items()]
    for name, value in rows:
        if value:
            click.echo(f"  {name:<14} {printable(value)}")
    _remarks("", found.remarks)
    _remarks("Ollama's own import: ", found.ollama)
    if found.works:
        click.echo(
            f"{click.style('ready', fg='green')}: modelsmith import {printable(str(found.checkpoint.folder))} -o model.gguf"
        )


def _remarks(start: str, remarks: Iterable[Remark]) -> None:
    from modelsmith.cli.shared.failure import printable

    for remark in remarks:
        severity = str(remark.severity)
        click.echo(f"{click.style(severity, fg=_COLORS.get(severity))}: {start}{printable(remark.message)}")
        if remark.hint:
            click.echo(f"  {printable(remark.hint)}")
