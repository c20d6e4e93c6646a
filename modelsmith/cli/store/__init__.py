"""``modelsmith store``: what is in a store, and the care of its folder; one module a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click

from modelsmith.cli import LazyGroup, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = {
    "dedupe": Row("store.dedupe", "Let GGUFs of yours and blobs of the same bytes share their place on the disk."),
    "doctor": Row("store.doctor", "Say what kind of place the folder is: owner, disk, file system, who else uses it."),
    "fsck": Row("store.fsck", "Find what is wrong with the folder, and mend it."),
    "gc": Row("store.gc", "Remove what no model needs."),
    "ls": Row("store.ls", "List the models."),
    "path": Row("store.path", "Print where the folder is, or the files of a model."),
}


class StoreGroup(LazyGroup):
    """The commands of ``modelsmith store``."""

    table: ClassVar[Mapping[str, Row]] = COMMANDS


@click.group("store", cls=StoreGroup)
def command() -> None:
    r"""Look at a store and take care of it: the Ollama that answers, or a folder in Ollama's layout.

    \b
    Examples:
      modelsmith store ls
      modelsmith store fsck --store ./models --deep
      modelsmith store gc --dry-run
    """
