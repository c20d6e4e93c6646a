"""``modelsmith store gc``: remove what no model needs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.cli.shared.sizes import size_text
from modelsmith.cli.store.folder import folder_option, show_items
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.manifest import Digest
    from modelsmith.store.care.gc import Garbage
    from modelsmith.store.care.survey import Item
    from modelsmith.store.layout import Layout

_TIME = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.command("gc")
@folder_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--grace", metavar="TIME", help="Keep what is younger: 30m, 2h, 7d. Default: 1h, beside a running Ollama 1d."
)
@click.option("--partials", is_flag=True, help="Remove unfinished downloads too, which a pull could go on with.")
@json_option
def command(where: str | None, dry_run: bool, grace: str | None, partials: bool, as_json: bool) -> int:
    r"""Remove the blobs that no model of a store's folder needs.

    A young one may still wait for its manifest, so it stays for a while, as does what a process has open. Where a manifest cannot be read,
    nobody can know what is needed, and nothing goes. What a newer Ollama keeps is left alone. Exit code 0, whatever is found.

    \b
    Examples:
      modelsmith store gc --dry-run
      modelsmith store gc --store ./models --grace 7d
      modelsmith store gc --partials
    """
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.store.care.gc import collect, find_garbage
    from modelsmith.store.open import open_folder

    layout = open_folder(where).layout
    seconds, in_use, beside = _surroundings(layout, grace)
    if dry_run:
        found = find_garbage(layout, grace=seconds, partials=partials, in_use=in_use)
    else:
        with progress_bars(enabled=not as_json) as progress:
            found = collect(layout, grace=seconds, partials=partials, in_use=in_use, progress=progress)
    if as_json:
        data = {
            "store": str(layout.folder),
            "dry_run": dry_run,
            "grace": seconds,
            "bytes": found.size,
            "removed": [_row(item) for item in found.items],
            "young": [_row(item) for item in found.young],
            "open": [_row(item) for item in found.open],
        }
        click.echo(json.dumps(data, ensure_ascii=False))
        return 0
    _show(layout, found, dry_run=dry_run)
    if found.young:
        size = sum(item.status.st_size for item in found.young)
        why = (
            f"an Ollama runs here ({beside})" if beside and grace is None else "they may still wait for their manifest"
        )
        click.echo(f"{len(found.young)} younger ones ({size_text(size)}) stay: {why}; --grace 0s takes them too")
    if found.open:
        click.echo(f"{len(found.open)} stay because a process has them open")
    return 0


def _show(layout: Layout, found: Garbage, *, dry_run: bool) -> None:
    show_items(found.items, "would go" if dry_run else "removed")
    if found.items:
        click.echo(f"{size_text(found.size)} {'would be' if dry_run else 'are'} free again in {layout.folder}")
    else:
        click.echo(f"nothing to remove in {layout.folder}")


def _row(item: Item) -> dict[str, object]:
    return {"path": str(item.path), "size": item.status.st_size}


def _surroundings(layout: Layout, grace: str | None) -> tuple[float, frozenset[Digest], str]:
    """Return the grace in seconds, the blobs that processes have open, and the Ollama that runs here ("": none)."""
    from modelsmith.store.care.fsck import GRACE_SECONDS
    from modelsmith.store.care.gc import BESIDE_A_SERVER
    from modelsmith.store.care.users import users_of
    from modelsmith.store.open import local_server

    asked = _seconds(grace) if grace is not None else None
    uses = users_of(layout)
    in_use = frozenset(digest for use in uses for digest in use.blobs)
    beside = next((f"process {use.pid}" for use in uses if use.serves), "") or local_server()
    return asked if asked is not None else BESIDE_A_SERVER if beside else GRACE_SECONDS, in_use, beside


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"--grace {text!r:.40} is no time", hint="give a number and s, m, h or d: 30m, 2h, 7d")
    return int(match[1]) * _SECONDS[match[2]]
