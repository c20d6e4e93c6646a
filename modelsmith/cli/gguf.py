"""``modelsmith gguf``: what is done to GGUF files, one module ``gguf_NAME.py`` a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from modelsmith.cli import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

# command -> the line that `modelsmith gguf --help` prints; the module gguf_NAME holds `command`.
COMMANDS = {
    "canonicalize": "Write a model in the tensor order that `ollama create` stores.",
    "diff": "Compare two GGUFs: metadata, tensors, chat template.",
    "get": "Print metadata.",
    "hash": "Digests of the file, the tensors, the layer that Ollama stores.",
    "merge": "Make one GGUF of its shards, or of raw pieces.",
    "pair": "Find which projector (mmproj) belongs to which model; FROM lines.",
    "rename": "Give a metadata key another name.",
    "set": "Change metadata: any type, in place where it fits.",
    "split": "Cut a GGUF into shards, as llama-gguf-split does.",
    "undo": "Take back the newest edit; repair an interrupted one.",
    "unset": "Remove metadata.",
    "inspect": "Say what a file is, on one screen, and where its bytes are; of a URL, too.",
    "verify": "Find everything that is wrong with a file, each with its byte and the way out.",
    "quantize": "Make a model smaller: Q4_K_M, Q8_0 and the other mixes of llama.cpp.",
}


class GGUFGroup(LazyGroup):
    """The commands of ``modelsmith gguf``."""

    table: ClassVar[Mapping[str, str]] = COMMANDS
    prefix: ClassVar[str] = "gguf_"


@click.group("gguf", cls=GGUFGroup)
def command() -> None:
    r"""Work on GGUF files.

    \b
    Examples:
      modelsmith gguf inspect model.gguf
      modelsmith gguf verify model.gguf --deep
      modelsmith gguf quantize model-f16.gguf model-q4.gguf --type Q4_K_M
      modelsmith gguf quantize model-f16.gguf model.gguf --target-size 12G --dry-run
    """
