"""``modelsmith store dedupe``: one place on the disk for a GGUF and the blob of the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.cli.shared.sizes import size_text
from modelsmith.cli.store.folder import folder_option


@click.command("dedupe")
@click.argument("places", metavar="FILE|FOLDER…", nargs=-1, required=True, type=click.Path(path_type=Path))
@folder_option
@click.option(
    "--link",
    type=click.Choice(["reflink", "hard"]),
    default="reflink",
    show_default=True,
    help="reflink: two files that share their blocks; hard: one file with two names.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become one.")
@json_option
def command(places: tuple[Path, ...], where: str | None, link: str, dry_run: bool, as_json: bool) -> int:
    r"""Find GGUFs of yours whose bytes the store holds too, and keep them on the disk once.

    Each FILE, and every *.gguf in each FOLDER, is compared by its SHA-256. Only the store is written to: its blob becomes a copy that shares
    the blocks of your file (btrfs, xfs and others), or with --link hard a second name of it. Then whoever writes into the file writes into the
    model: `modelsmith gguf set` does not, other programs may. `ollama create` before 0.34.1 stored GGUFs in another order of tensors, so that
    the bytes differ; `modelsmith gguf canonicalize` makes a file of that order.

    \b
    Exit codes: 0 done or nothing to do, 1 some stay two (each says why).

    \b
    Examples:
      modelsmith store dedupe ~/Downloads --dry-run
      modelsmith store dedupe ~/.lmstudio/models --link hard
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.store.blobs import known_digests
    from modelsmith.store.care.dedupe import Way, find_pairs, unite
    from modelsmith.store.open import open_folder

    layout = open_folder(where).layout
    with progress_bars(enabled=not as_json) as progress:
        pairs = find_pairs(layout, places, known_digests(layout), progress)
        if not dry_run and pairs:
            pairs = unite(layout, pairs, Way(link), progress)
    saved = sum(pair.size for pair in pairs if not pair.problem)
    if as_json:
        rows = [
            {"file": str(pair.file), "digest": str(pair.digest), "size": pair.size, "problem": pair.problem}
            for pair in pairs
        ]
        click.echo(json.dumps({"store": str(layout.folder), "dry_run": dry_run, "bytes": saved, "files": rows}))
    else:
        for pair in pairs:
            done = "would become one" if dry_run else "one now"
            state = f"stays two: {pair.problem}" if pair.problem else done
            click.echo(f"{size_text(pair.size):>8}  {printable(str(pair.file))}: {printable(state)}")
        if pairs:
            click.echo(f"{size_text(saved)} {'would be' if dry_run else 'are'} on the disk once instead of twice")
        else:
            click.echo("no file there has the bytes of a blob that is kept apart")
    return int(any(pair.problem for pair in pairs) and not dry_run)
