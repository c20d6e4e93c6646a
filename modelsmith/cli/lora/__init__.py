"""``modelsmith lora``: what is done to LoRA adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from modelsmith.cli import LazyGroup, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = {
    "convert": Row("lora.convert", "Write an adapter of PEFT as a GGUF, for llama-server --lora."),
    "inspect": Row("lora.inspect", "Say what an adapter changes, how strongly, and whether it fits a model."),
    "merge": Row("lora.merge", "Make one model of a base and its adapters."),
}


class LoraGroup(LazyGroup):
    """The commands of ``modelsmith lora``."""

    table: ClassVar[Mapping[str, Row]] = COMMANDS


@click.group("lora", cls=LoraGroup)
def command() -> None:
    r"""Work on LoRA adapters: folders as PEFT saves them, and GGUFs.

    Ollama takes no new ADAPTER since 0.34.1: merge it, or let the key `adapters` of a recipe do it.

    \b
    Examples:
      modelsmith lora inspect ./my-adapter --base base-f16.gguf
      modelsmith lora merge base-f16.gguf ./my-adapter -o merged.gguf -t Q4_K_M
      modelsmith lora convert ./my-adapter --base base.gguf -o adapter.gguf
    """
