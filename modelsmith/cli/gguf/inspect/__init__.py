"""``modelsmith gguf inspect``: what a GGUF is, on one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.outputs import force_option
from modelsmith.diagnostic import Severity

if TYPE_CHECKING:
    from modelsmith.models.locate import FoundGGUF
    from modelsmith.weights.gguf.inspect.summary import Summary


@click.command("inspect")
@click.argument("spec", metavar="FILE|URL|MODEL")
@click.option("--tensors", is_flag=True, help="List every tensor: shape, type, size, place.")
@click.option("--metadata", is_flag=True, help="List every key with its type and value.")
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a page that shows where the bytes are, whole and without links.",
)
@force_option
@store_option
@json_option
def command(
    spec: str, tensors: bool, metadata: bool, html: Path | None, force: bool, where: str | None, as_json: bool
) -> int:
    r"""Say what a GGUF is: architecture, size, quantization, context, vocabulary, template, licence, where the bytes are.

    Only the header is read: a few milliseconds for a file, a few hundred kilobytes of a URL. Exit code 1 where the header
    shows that the file is damaged.

    \b
    Examples:
      modelsmith gguf inspect model.gguf
      modelsmith gguf inspect https://huggingface.co/ORG/REPO/resolve/main/m.gguf
      modelsmith gguf inspect llama3.2:3b --metadata
      modelsmith gguf inspect model.gguf --tensors --json
      modelsmith gguf inspect model.gguf --html model.html
    """
    from modelsmith.cli.gguf.inspect.view import as_data, show
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.models.locate import find_gguf
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.inspect.summary import Summary

    if html is not None:
        from modelsmith.cli.diff.report import check_report

        check_report(html, spec, force=force)
    with progress_bars(enabled=not as_json) as progress:
        found = find_gguf(spec, store_for(where, spec), progress=progress)
    if found.scan.header is None:
        raise found.scan.faults[-1].error(found.spec)
    summary = Summary(GGUFFile.of(found.scan.header))
    if html is not None:
        _write_page(html, summary, found, force=force)
    if as_json:
        click.echo(as_data(summary, found, tensors=tensors, metadata=metadata))
    else:
        show(summary, found, tensors=tensors, metadata=metadata)
    return 1 if any(fault.severity is Severity.ERROR for fault in found.scan.faults) else 0


def _write_page(path: Path, summary: Summary, found: FoundGGUF, *, force: bool) -> None:
    from modelsmith.cli.diff.report import write_page
    from modelsmith.cli.gguf.inspect.html import page

    write_page(path, page(summary, found.spec), force=force)
    click.echo(f"wrote {path}", err=True)
