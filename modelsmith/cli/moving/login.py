"""``modelsmith login``: keep the login of a registry where docker keeps it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import registry_options
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 64 << 10


@click.command("login")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("-u", "--user", metavar="USER", help="Default: it is asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password or token from the standard input.")
@registry_options
def command(
    host: str,
    user: str | None,
    password_stdin: bool,
    insecure: bool,
    ca_file: Path | None,
    token_hosts: tuple[str, ...],
) -> int:
    r"""Log in to a registry. The login is tried, and then kept in docker's credential helper or config.json.

    The password is asked for, or read from the standard input; there is no option for it, as others can see a command line.

    \b
    Examples:
      modelsmith login registry.example.com -u alice
      modelsmith login registry.example.com -u alice --password-stdin < token.txt
    """
    from modelsmith.registry.access import Access, Session
    from modelsmith.registry.credentials import Credentials, Login
    from modelsmith.registry.reference import registry_host

    host = registry_host(host)
    if password_stdin:
        if not user:
            raise UsageError("--password-stdin needs --user", hint="modelsmith login HOST -u USER --password-stdin")
        secret = sys.stdin.read(_LONGEST).rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for the password", hint="modelsmith login HOST -u USER --password-stdin < FILE"
        )
    else:
        user = user or click.prompt("user", err=True)
        secret = click.prompt("password", hide_input=True, err=True)
    if not secret or any(not char.isprintable() for char in secret):
        raise UsageError("the password is empty or has control characters in it")
    if not user or ":" in user or not user.isprintable():
        raise UsageError(f"{user!r:.80} cannot be a user name")
    login = Login(user, secret)
    access = Access(insecure=insecure, ca_file=ca_file, token_hosts=tuple(name.lower() for name in token_hosts))
    with Session(access) as session:
        session.registry(host, login).check_login()
    click.echo(f"logged in to {host} as {user}; kept in {Credentials().store(host, login)}")
    return 0
