"""What stands where a command's name should, and is a file, a folder or a command of Ollama's: which command takes it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

_FILES = {"doctor": "md {all}", "gguf": "inspect {all}", "lora": "inspect {all}", "recipes": "show {first}"}
_FOLDERS = {
    "gguf": "pair {all}",
    "lora": "inspect {all}",
    "recipes": "check {all}",
    "registry": "serve --store {first}",
    "store": "ls --store {first}",
}
"""What each group does with a file or folder, by the group's name."""

_BY_SUFFIX = {
    ".gguf": "gguf inspect {all}",
    ".gotmpl": "explain {first}",
    ".jinja": "explain {first}",
    ".md": "doctor md {all}",
    ".modelfile": "explain {first}",
    ".yaml": "plan {first}",
    ".yml": "plan {first}",
}
_BY_CONTENT = {"adapter_config.json": "lora inspect {first}", "manifests": "store ls --store {first}"}
"""What is done with a path that no group was named for: with files by their suffix, with folders by what is in them."""


def command_instead(context: click.Context, words: Sequence[str]) -> str:
    """Return ``; …: COMMAND`` where the first of the words is no command but what one takes, else an empty text."""
    group = context.command.name if context.parent is not None else None
    command = _command(group or "", words)
    if not command:
        return ""
    what, taken = command
    return f"; {what}: {context.command_path} {taken.format(first=shlex.quote(words[0]), all=shlex.join(words))}"


def _command(group: str, words: Sequence[str]) -> tuple[str, str] | None:
    """Return what the first word is, and the command that takes it."""
    path = Path(words[0]).expanduser()
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):
        return None
    if is_folder:
        taken = _FOLDERS.get(group, "") if group else _of_folder(path)
        return ("it is a folder", taken) if taken else None
    if is_file:
        taken = _FILES.get(group, "") if group else _of_file(path)
        return ("it is a file", taken) if taken else None
    if group == "doctor" and words[0].split()[:1] == ["ollama"]:
        text = words[0] if len(words) == 1 else shlex.join(words)
        return "to judge a command", f"cmd {shlex.quote(text)}".replace("{", "{{").replace("}", "}}")
    if group == "recipes":
        from modelsmith.recipe.read.bundled import bundled_recipes

        return ("it is a recipe", "show {first}") if words[0] in bundled_recipes() else None
    return None


def _of_file(path: Path) -> str:
    if "modelfile" in path.name.lower():
        return "explain {first}"
    return _BY_SUFFIX.get(path.suffix.lower(), "")


def _of_folder(path: Path) -> str:
    return next((taken for name, taken in _BY_CONTENT.items() if (path / name).exists()), "")
