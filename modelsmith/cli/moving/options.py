"""What the commands that move models are asked for: options of registries, and the request that one place's module gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.gathering import gathering
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import json_option, store_option
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelsmith.registry.access import Access


@dataclass(frozen=True, slots=True)
class MovingOptions:
    """How registries are reached, and what is printed."""

    where: str | None
    insecure: bool
    ca_file: Path | None
    mirrors: tuple[str, ...]
    token_hosts: tuple[str, ...]
    key_file: Path | None
    connections: int
    dry_run: bool
    as_json: bool

    def access(self) -> Access:
        """Return the options that a registry's connections need."""
        from modelsmith.registry.access import Access

        return Access(
            insecure=self.insecure,
            ca_file=self.ca_file,
            mirrors=self.mirrors,
            token_hosts=tuple(host.lower() for host in self.token_hosts),
            key_file=self.key_file,
            connections=self.connections,
        )


def moving_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that moving commands share; the command gets them as one MovingOptions."""
    return gathering(MovingOptions, _OPTIONS)(command)


def registry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options by which a registry is reached."""
    for option in reversed(REACHING):
        command = option(command)
    return command


REACHING = (
    click.option(
        "--insecure",
        is_flag=True,
        help="Speak plain http: anybody on the way can read and change what is moved, the login too.",
    ),
    click.option(
        "--ca-file",
        type=InputFile(exists=True),
        metavar="FILE",
        help="Trust these certificates (PEM) besides the system's.",
    ),
    click.option(
        "--token-host",
        "token_hosts",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Let this token server see the login, though its name is not the registry's; repeatable.",
    ),
)
_OPTIONS = (
    store_option,
    *REACHING,
    click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="URL",
        help="Ask here before the registry itself (https://HOST); repeatable.",
    ),
    click.option(
        "--key",
        "key_file",
        type=InputFile(exists=True),
        metavar="FILE",
        help="Ollama's key, for registries that know it. Default for Ollama's own: ~/.ollama/id_ed25519.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1, 16),
        default=4,
        show_default=True,
        help="How many blobs or parts of them move at once.",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be moved. Changes nothing."),
    json_option,
)
