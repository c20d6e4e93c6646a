"""``modelsmith gguf undo``: take back the newest edit of a GGUF."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.shared.options import json_option


@click.command("undo")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken back.")
@json_option
def command(file: Path, dry_run: bool, as_json: bool) -> int:
    r"""Take back the newest edit of FILE: its exact old bytes; again for the one before. Repairs an interrupted edit, too.

    \b
    Examples:
      modelsmith gguf undo model.gguf
      modelsmith gguf undo model.gguf --dry-run
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.weights.gguf.edit.inplace_undo import undo
    from modelsmith.weights.gguf.edit.undo import count_records

    with progress_bars(enabled=not as_json) as progress:
        record = undo(file, dry_run=dry_run, progress=progress)
    left = count_records(file.resolve())
    if as_json:
        data = {"path": str(file), "undone": record.what, "how": record.kind, "size": record.size, "left": left}
        click.echo(json.dumps({**data, "written": not dry_run}, ensure_ascii=False))
        return 0
    would = "would be " if dry_run else ""
    click.echo(f"{printable(str(file))}: {would}taken back: {printable(record.what)} ({record.kind})")
    if left:
        click.echo(f"  {left} {'edit' if left == 1 else 'edits'} can be undone")
    return 0
