"""``modelsmith outdated``: what is newer than the lock."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import registry_options
from modelsmith.cli.shared.options import json_option, lock_file_option, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.store import Store

_COLOURS = {"current": "green", "outdated": "yellow", "moved": "yellow", "unknown": "cyan"}


@click.command("outdated")
@store_option
@registry_options
@lock_file_option
@json_option
def command(
    where: str | None,
    insecure: bool,
    ca_file: Path | None,
    token_hosts: tuple[str, ...],
    lock_file: Path | None,
    as_json: bool,
) -> int:
    r"""Say what is newer than modelsmith.lock: recipes of a team, bases in their registry and on the Hub, and the tools.

    Asks repositories, registries and the Hub; downloads and changes nothing.

    Exit codes: 0 everything is current, or nobody knows; 1 something is outdated or moved; 3 there is no lock.

    \b
    Examples:
      modelsmith outdated
      modelsmith outdated --json
    """
    from modelsmith.cli.recipes.planning import chosen_store, lock_path
    from modelsmith.cli.shared.sizes import table
    from modelsmith.recipe.lock.file import read_lock
    from modelsmith.recipe.lock.outdated import outdated
    from modelsmith.registry.access import Access, Session

    @cache
    def store() -> Store:
        return chosen_store(where)

    models = read_lock(lock_path(lock_file)).models
    access = Access(insecure=insecure, ca_file=ca_file, token_hosts=tuple(host.lower() for host in token_hosts))
    with Session(access) as session:
        found = list(outdated(models, store, session))
    if as_json:
        names = ("model", "what", "locked", "here", "newest", "state", "way")
        click.echo(
            json.dumps([{name: getattr(standing, name) for name in names} for standing in found], ensure_ascii=False)
        )
    else:
        head = ("MODEL", "WHAT", "LOCKED", "HERE", "NEWEST", "STATE", "")
        rows = [
            (
                standing.model,
                standing.what,
                standing.locked,
                standing.here or "-",
                standing.newest or "-",
                standing.state,
                standing.way,
            )
            for standing in found
        ]
        lines = table([head, *rows])
        click.echo(click.style(lines[0], bold=True))
        for line, standing in zip(lines[1:], found, strict=True):
            click.echo(click.style(line, fg=_COLOURS[standing.state]))
    return int(any(standing.state in {"outdated", "moved"} for standing in found))
