"""``modelsmith push``: send a model of a store elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options
from modelsmith.cli.moving.places import module_for

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions


@click.command("push")
@click.argument("name", metavar="NAME")
@click.argument("destination", metavar="[DESTINATION]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("ollama", "oci")),
    default="ollama",
    show_default=True,
    help="The manifest: Ollama's own, which Ollama can pull, or an OCI image manifest of the same blobs.",
)
@moving_options
def command(options: MovingOptions, name: str, destination: str | None, form: str) -> int:
    r"""Send a model of a store to a registry or into a folder; what is there is not sent again.

    DESTINATION is oci://HOST/NAMESPACE/NAME:TAG or dir:PATH. Default: the registry that the name itself names.

    \b
    Examples:
      modelsmith push assistant oci://registry.example.com/team/assistant:v2
      modelsmith push assistant dir:./assistant --store ./models
    """
    return module_for(destination or name).push(name, destination, options, oci=form == "oci")
