"""``modelsmith store doctor``: what kind of place a store's folder is."""

from __future__ import annotations

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.cli.store.folder import folder_option


@click.command("doctor")
@folder_option
@json_option
def command(where: str | None, as_json: bool) -> int:
    r"""Say what kind of place a store's folder is: owner and mode, room, file system, links, who else uses it.

    Changes nothing. What is wrong with the models themselves says `modelsmith store fsck`.

    \b
    Exit codes: 0 fine, 1 a warning or an error, 3 there is no folder.

    \b
    Examples:
      modelsmith store doctor
      modelsmith store doctor --store /usr/share/ollama/.ollama/models --json
    """
    from modelsmith.cli.shared.checks import show_checks
    from modelsmith.store.care.doctor import examine
    from modelsmith.store.open import open_folder

    return show_checks(examine(open_folder(where).layout), as_json=as_json)
