"""``modelsmith completion``: commands, models, recipes and rules at the Tab key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from modelsmith.errors import StoreError, UsageError

_VARIABLE = "_MODELSMITH_COMPLETE"
_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/modelsmith",
    "zsh": "~/.zfunc/_modelsmith",
    "fish": "~/.config/fish/completions/modelsmith.fish",
}
_THEN = {
    "bash": "it works in the next shell, where the package bash-completion is installed",
    "zsh": "it works in the next shell; ~/.zshrc needs: fpath+=~/.zfunc; autoload -Uz compinit && compinit",
    "fish": "it works at once",
}


@click.command("completion")
@click.argument("shell", metavar="[bash|zsh|fish]", required=False)
@click.option("--install", is_flag=True, help="Write it to where the shell looks for it.")
def command(shell: str | None, install: bool) -> int:
    r"""Print, or install, the completion for a shell. Without a name: the shell in $SHELL.

    \b
    Examples:
      modelsmith completion bash
      modelsmith completion --install
    """
    from click.shell_completion import get_completion_class

    from modelsmith.cli import group
    from modelsmith.cli.shared.outputs import say_kept
    from modelsmith.files.replacing import write

    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in _PLACES:
        raise UsageError(f'"{name}" is no shell that is known here', hint=f"name one of {', '.join(_PLACES)}")
    kind: Any = get_completion_class(name)
    script = kind(group, {}, "modelsmith", _VARIABLE).source()
    if not install:
        click.echo(script)
        return 0
    place = Path(_PLACES[name]).expanduser()
    hint = f"modelsmith completion {name} > FILE"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        before = place.read_bytes() if place.exists() else b""
    except OSError as error:
        raise StoreError(f"{place} cannot be written: {error.strerror or error}", hint=hint) from error
    if kept := write(place, [script.encode()], keeps=_VARIABLE.encode() not in before, hint=hint):
        say_kept(place, kept)
    click.echo(f"written: {place}; {_THEN[name]}")
    return 0
