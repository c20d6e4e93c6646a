"""``modelsmith gguf``: what is done to GGUF files, one module a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from modelsmith.cli import LazyGroup, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = {
    "canonicalize": Row("gguf.canonicalize", "Write a model in the tensor order that `ollama create` stores."),
    "diff": Row("gguf.diff", "Compare two GGUFs: metadata, tensors, chat template."),
    "get": Row("gguf.get", "Print metadata."),
    "hash": Row("gguf.hash", "Digests of the file, the tensors, the layer that Ollama stores."),
    "inspect": Row("gguf.inspect", "Say what a file is, on one screen, and where its bytes are; of a URL, too."),
    "merge": Row("gguf.merge", "Make one GGUF of its shards, or of raw pieces."),
    "pair": Row("gguf.pair", "Find which projector (mmproj) belongs to which model; FROM lines."),
    "quantize": Row("gguf.quantize", "Make a model smaller: Q4_K_M, Q8_0 and the other mixes of llama.cpp."),
    "rename": Row("gguf.rename", "Give a metadata key another name."),
    "set": Row("gguf.set", "Change metadata: any type, in place where it fits."),
    "split": Row("gguf.split", "Cut a GGUF into shards, as llama-gguf-split does."),
    "undo": Row("gguf.undo", "Take back the newest edit; repair an interrupted one."),
    "unset": Row("gguf.unset", "Remove metadata."),
    "verify": Row("gguf.verify", "Find everything that is wrong with a file, each with its byte and the way out."),
}


class GGUFGroup(LazyGroup):
    """The commands of ``modelsmith gguf``."""

    table: ClassVar[Mapping[str, Row]] = COMMANDS


@click.group("gguf", cls=GGUFGroup)
def command() -> None:
    r"""Work on GGUF files.

    \b
    Examples:
      modelsmith gguf inspect model.gguf
      modelsmith gguf verify model.gguf --deep
      modelsmith gguf quantize model-f16.gguf model-q4.gguf --type Q4_K_M
      modelsmith gguf quantize model-f16.gguf --target-size 12G --dry-run
    """
