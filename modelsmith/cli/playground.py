"""``modelsmith playground``: the page in the browser, built and served here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from modelsmith.cli.shared.options import json_option

_PORT = 8377


@click.command("playground")
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of the page. Default: one in the cache.",
)
@click.option("--build", "builds", is_flag=True, help="Build the page into DIR, for any web server, and end.")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: any that is free.")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@json_option
def command(site: Path | None, builds: bool, port: int, no_open: bool, as_json: bool) -> int:
    r"""Serve the playground on this machine: lint, prompts, which template runs, force-think and conversions, as you type.

    The page runs modelsmith itself in the browser. Nothing leaves it, and of a .gguf only the header is read. It is built
    once, with node, npm and pip; then it needs no network. DIR can be copied to any static web server.

    \b
    Examples:
      modelsmith playground --build
      modelsmith playground
      modelsmith playground --build --site ./public
      modelsmith playground --site ./public --port 0 --no-open
    """
    from modelsmith.playground.site import default_site, find_site, source_digest

    folder = site or default_site()
    if builds:
        _build(folder, as_json=as_json)
        return 0
    built = find_site(folder)
    if built.source != source_digest():
        click.echo(f"note: the page was built by another modelsmith ({built.version}); --build makes it anew", err=True)
    from modelsmith.playground.serve import Server

    with Server(folder, built, port) as server:
        if as_json:
            click.echo(json.dumps({"url": server.url, "site": str(folder)}))
        else:
            click.echo(f"serving the playground at {server.url}; end it with Ctrl-C")
        sys.stdout.flush()
        if not no_open:
            _open(server.url)
        server.run()
    return 0


def _build(folder: Path, *, as_json: bool) -> None:
    from modelsmith.playground.build import build

    def say(words: str) -> None:
        click.echo(words, err=True)

    build(folder, say)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if as_json:
        click.echo(json.dumps({"site": str(folder), "bytes": size}))
    else:
        click.echo(f"built: {folder} ({size / 1e6:.1f} MB)")


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        click.echo("no browser could be opened from here: open the address yourself", err=True)
