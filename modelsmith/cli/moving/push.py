"""``modelsmith push``: send a model of a store elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options
from modelsmith.cli.moving.places import is_hub, module_for
from modelsmith.cli.moving.publishing import PublishOptions, publish_options
from modelsmith.errors import UsageError

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
@publish_options
@moving_options
def command(options: MovingOptions, publishing: PublishOptions, name: str, destination: str | None, form: str) -> int:
    r"""Send a model of a store to a registry, to the Hugging Face Hub or into a folder; what is there is not sent again.

    DESTINATION is oci://HOST/NAMESPACE/NAME:TAG, dir:PATH or hf://ORG/REPO[@BRANCH][/FILE.gguf]. Default: the registry that the
    name itself names. To the Hub NAME may be a .gguf too; its model card is made from the file, the model and the recipe.

    \b
    Examples:
      modelsmith push assistant oci://registry.example.com/team/assistant:v2
      modelsmith push assistant dir:./assistant --store ./models
      modelsmith push assistant hf://me/assistant-GGUF \
        --recipe assistant.yaml --private
      modelsmith push ./model-Q4_K_M.gguf hf://me/model-GGUF --dry-run
    """
    if destination is not None and is_hub(destination):
        from modelsmith.cli.moving.hub import send

        return send(name, destination, options, publishing)
    if publishing != PublishOptions():
        raise UsageError("--recipe, --card, --private, --pull-request and --message are for the Hugging Face Hub")
    return module_for(destination or name).push(name, destination, options, oci=form == "oci")
