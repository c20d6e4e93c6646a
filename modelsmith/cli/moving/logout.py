"""``modelsmith logout``: forget the login of a registry."""

from __future__ import annotations

import click


@click.command("logout")
@click.argument("host", metavar="HOST[:PORT]")
def command(host: str) -> int:
    r"""Remove the login of a registry from docker's credential helper and config.json. Exit code 1: there was none.

    \b
    Example:
      modelsmith logout registry.example.com
    """
    from modelsmith.registry.credentials import Credentials
    from modelsmith.registry.reference import registry_host

    host = registry_host(host)
    if not Credentials().erase(host):
        click.echo(f"there was no login for {host}")
        return 1
    click.echo(f"logged out of {host}")
    return 0
