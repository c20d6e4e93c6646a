"""``modelsmith store doctor``: what kind of place a store's folder is."""

from __future__ import annotations

import json

import click

from modelsmith.cli.shared.options import json_option
from modelsmith.cli.store.folder import folder_option

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan", "fine": "green"}


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
    from modelsmith.cli.shared.failure import printable
    from modelsmith.store.care.doctor import examine
    from modelsmith.store.open import open_folder

    checks = examine(open_folder(where).layout)
    if as_json:
        rows = [
            {"name": each.name, "severity": each.severity or "fine", "text": each.text, "hint": each.hint}
            for each in checks
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for each in checks:
            word = str(each.severity or "fine")
            click.echo(f"{click.style(f'{word:7}', fg=_COLOURS[word])}  {each.name}: {printable(each.text)}")
            if each.hint:
                click.echo(f"         {click.style('hint:', fg='green')} {printable(each.hint)}")
    return int(any(each.severity in {"warning", "error"} for each in checks))
