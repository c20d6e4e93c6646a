"""Every command of modelsmith that the package tells somebody to type is one that its own command line takes.

What the package says stands in its sources (what it fills in is replaced), in its help and in the pages of the rules. A command is what
follows ``modelsmith`` up to the closing backquote, or without backquotes to the end of the clause. It is parsed by click, and not run.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import modelsmith
from modelsmith.cli import group
from modelsmith.lint.rules import all_rules
from tests.cli.test_exit_codes import ALL

FILLED = "Filled"
"""Stands for what a text only knows when it is written."""
_PACKAGE = Path(modelsmith.__file__).parent
_QUOTED = re.compile(r"`(?:sudo )?modelsmith ([^`\n]+)`")
_BARE = re.compile(r"(?<![\w`./-])modelsmith ([a-z]+(?: (?:[^\n`;,()'\"]|'[^'\n]*'|\"[^\"\n]*\")*)?)")
_ENDS = re.compile(r" [<>|&#] ?| -->|: |(?<! )\. |(?<! )\.?\s*$| (?:or|and|then|to) |   ")
"""What ends a command that stands without backquotes."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A command without its first word, and where it was read."""

    command: str
    place: str


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the texts of a module but its docstrings, with ``FILLED`` for what is filled in."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(value) for value in node.values)
            parts = (str(part.value) if isinstance(part, ast.Constant) else FILLED for part in node.values)
            yield "".join(parts), node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value, node.lineno


def suggested(text: str, place: str) -> Iterator[Suggestion]:
    """Yield the commands that a text names."""
    text = re.sub(r"\\\n\s*", "", text)
    for found in _QUOTED.finditer(text):
        yield Suggestion(_ENDS.split(found[1])[0] if " > " in found[1] else found[1], place)
    for found in _BARE.finditer(_QUOTED.sub("", text)):
        if (command := _ENDS.split(found[1])[0]).split()[0] in group.list_commands(click.Context(group)):
            yield Suggestion(command, place)


def _everything() -> Iterator[Suggestion]:
    for path in sorted(_PACKAGE.rglob("*.py")):
        for text, line in texts(ast.parse(path.read_text(encoding="utf-8"))):
            yield from suggested(text, f"{path.relative_to(_PACKAGE)}:{line}")
    for name, command in ALL.items():
        for text in (command.help, command.epilog, *(getattr(param, "help", "") for param in command.params)):
            yield from suggested(text or "", f"{name} --help")
    for code, checked in all_rules().items():
        yield from suggested(inspect.getdoc(sys.modules[checked.check.__module__]) or "", code)


def refusal(line: str) -> str:
    """Return why the command line does not take a command, "" where it does; a command's bare name names the command."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return str(error)
    command: click.Command = group
    context = click.Context(group)
    while isinstance(command, click.Group) and words and words != ["…"] and not words[0].startswith("-"):
        below = command.get_command(context, name := words.pop(0))
        if below is None:
            return f"there is no command {name}"
        command, context = below, click.Context(below, parent=context, info_name=name)
    if not words:
        return ""
    open_ended = "…" in words
    try:
        options, left, _ = command.make_parser(context).parse_args([word for word in words if word != "…"])
    except click.UsageError as error:
        return error.format_message()
    if left:
        return f"too many words: {' '.join(left)}"
    for param in command.params:
        value = options.get(param.name or "")
        given = isinstance(value, (str, bool)) or bool(isinstance(value, (list, tuple)) and value)
        if param.required and not given and not open_ended:
            return f"{param.human_readable_name} is missing"
        chosen = value if isinstance(param.type, click.Choice) and isinstance(value, str) else ""
        if chosen and not chosen.startswith(FILLED) and not chosen.isupper() and chosen not in param.type.choices:
            return f"{param.human_readable_name} cannot be {chosen}"
    return ""


def test_every_suggested_command_is_one_that_is_taken() -> None:
    found = [*_everything()]
    assert len(found) > 400
    wrong = [f"{said.place}: modelsmith {said.command}: {why}" for said in found if (why := refusal(said.command))]
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("`modelsmith store export NAME`", "there is no command export"),
        ("look: modelsmith lora merge BASE ADAPTER -o", "requires an argument"),
        ("modelsmith lora merge FOLDER ADAPTER", "target is missing"),
        ("modelsmith fit FILE says whether", "too many words"),
        ("`modelsmith render FILE --engine nosuch`", "engine cannot be nosuch"),
    ],
)
def test_a_wrong_one_is_seen(said: str, why: str) -> None:
    (found,) = suggested(said, "here")
    assert why in refusal(found.command)
