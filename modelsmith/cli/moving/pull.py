"""``modelsmith pull``: bring a model here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options
from modelsmith.cli.moving.places import module_for

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions


@click.command("pull")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--as", "name", metavar="NAME", help="The name it gets here. Default: as Ollama writes it, host included."
)
@click.option(
    "--print-urls", is_flag=True, help="Print the URLs of the missing blobs, for other programs. Changes nothing."
)
@moving_options
def command(options: MovingOptions, source: str, name: str | None, print_urls: bool) -> int:
    r"""Bring a model into a store, every byte verified; what an interrupted run brought is not brought again.

    SOURCE is a name as Ollama writes it, oci://HOST/NAMESPACE/NAME:TAG (or @sha256:… to pin it) or dir:PATH.

    \b
    Examples:
      modelsmith pull oci://registry.example.com/team/assistant:v2 --as assistant
      modelsmith pull qwen3:8b --mirror https://mirror.example.com
    """
    return module_for(source).pull(source, name, options, print_urls=print_urls)
