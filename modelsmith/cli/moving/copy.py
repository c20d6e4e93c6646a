"""``modelsmith copy``: from any place to any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options
from modelsmith.cli.moving.places import SCHEMES, module_for

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions


@click.command("copy")
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="DESTINATION")
@click.option(
    "--format",
    "form",
    type=click.Choice(("ollama", "oci")),
    default="ollama",
    show_default=True,
    help="The manifest that a registry or a folder gets.",
)
@moving_options
def command(options: MovingOptions, source: str, destination: str, form: str) -> int:
    r"""Copy a model from any place to any other: a name in the store, oci://HOST/NAMESPACE/NAME:TAG, dir:PATH.

    Within one registry nothing is moved: its blobs are mounted.

    \b
    Examples:
      modelsmith copy oci://registry.example.com/test/assistant \
        oci://registry.example.com/team/assistant:v2
      modelsmith copy dir:./assistant assistant --store ./models
    """
    from modelsmith.cli.moving import registries

    source_is_name, target_is_name = (not place.startswith(tuple(SCHEMES)) for place in (source, destination))
    if source_is_name and target_is_name:
        return registries.rename(source, destination, options)
    if target_is_name:
        return module_for(source).pull(source, destination, options, print_urls=False)
    if source_is_name:
        return module_for(destination).push(source, destination, options, oci=form == "oci")
    return registries.between(source, destination, options, oci=form == "oci")
