"""``modelsmith registry``: a registry of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import registry_options
from modelsmith.cli.shared.help import Group
from modelsmith.cli.store.folder import folder_option

if TYPE_CHECKING:
    from pathlib import Path


@click.group("registry", cls=Group)
def command() -> None:
    r"""Serve models to Ollama and other clients.

    \b
    Example:
      modelsmith registry serve --store ./models --listen 127.0.0.1:5000
    """


@command.command("serve")
@folder_option
@click.option("--listen", default="127.0.0.1:5000", show_default=True, metavar="HOST:PORT", help="Where it is asked.")
@click.option(
    "--upstream",
    metavar="HOST",
    help="The registry behind it: what is asked for is fetched from there, with your login, and kept in the store.",
)
@click.option("--verbose", is_flag=True, help="Print a line for each request.")
@registry_options
def serve(
    where: str | None,
    listen: str,
    upstream: str | None,
    verbose: bool,
    insecure: bool,
    ca_file: Path | None,
    token_hosts: tuple[str, ...],
) -> int:
    r"""Serve the models of a store, or of another registry, so that Ollama can pull them. It only reads, and knows no logins.

    Ollama pulls with: ollama pull --insecure HOST:PORT/NAMESPACE/NAME

    \b
    Examples:
      modelsmith registry serve --store ./models
      modelsmith registry serve --store ./cache --upstream registry.example.com
    """
    from modelsmith.cli.shared.failure import printable
    from modelsmith.http.urls import is_loopback
    from modelsmith.registry.access import Access
    from modelsmith.registry.catalog import Upstream
    from modelsmith.registry.reference import registry_host
    from modelsmith.registry.serve import Server
    from modelsmith.store.open import open_folder

    def log(line: str) -> None:
        click.echo(printable(line), err=True)

    behind = None
    if upstream is not None:
        access = Access(insecure=insecure, ca_file=ca_file, token_hosts=tuple(host.lower() for host in token_hosts))
        behind = Upstream(registry_host(upstream), access)
    store = open_folder(where, may_be_new=behind is not None)
    with Server(store, listen, behind, log if verbose else None) as server:
        if not is_loopback(listen.rpartition(":")[0].strip("[]")):
            click.echo("note: whoever can reach this address can read all these models", err=True)
        click.echo(f"serving {store.location} at http://{server.host}; end it with Ctrl-C")
        click.echo(f"  ollama pull --insecure {server.host}/NAMESPACE/NAME")
        server.run()
    return 0
