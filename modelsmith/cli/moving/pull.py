"""``modelsmith pull``: bring a model here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.moving.options import moving_options
from modelsmith.cli.moving.places import is_hub, module_for
from modelsmith.errors import UsageError

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
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Of the Hub: put the files into this folder (or file) instead of making a model of them.",
)
@moving_options
def command(options: MovingOptions, source: str, name: str | None, print_urls: bool, output: Path | None) -> int:
    r"""Bring a model into a store, every byte verified; what an interrupted run brought is not brought again.

    SOURCE is a name as Ollama writes it, oci://HOST/NAMESPACE/NAME:TAG (or @sha256:… to pin it), dir:PATH, or something of the
    Hugging Face Hub: hf://ORG/REPO[@REVISION][:QUANTIZATION|/FILE] or hf.co/ORG/REPO:QUANTIZATION. HF_TOKEN, HF_ENDPOINT and
    HF_HUB_OFFLINE are honoured.

    \b
    Examples:
      modelsmith pull oci://registry.example.com/team/assistant:v2 --as assistant
      modelsmith pull qwen3:8b --mirror https://mirror.example.com
      modelsmith pull hf://bartowski/Qwen3-8B-GGUF:Q4_K_M --as qwen3
      modelsmith pull hf://Qwen/Qwen3-8B -o ./qwen3-8b
    """
    if output is not None:
        if not is_hub(source) or name or print_urls:
            raise UsageError(
                "--output puts files of the Hub into a folder, without a model",
                hint="modelsmith pull hf://ORG/REPO -o FOLDER",
            )
        from modelsmith.cli.moving.hub import fetch

        return fetch(source, output, options)
    return module_for(source).pull(source, name, options, print_urls=print_urls)
