"""MSD02: commands, flags and arguments that the ``ollama`` program does not take.

Sources: Ollama ``cmd/cmd.go``; Go ``spf13/pflag`` and ``spf13/cobra``: flags may stand anywhere, an optional value must be
joined with ``=``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.doctor.checks.create import check_create, check_push, check_show
from modelsmith.doctor.excerpt import BlockKind
from modelsmith.doctor.findings import finding
from modelsmith.doctor.inventions import FLAGS, FLAGS_OF, SUBCOMMANDS, Invention
from modelsmith.doctor.ollama_commands import (
    COMMANDS,
    ROOT,
    THINK_VALUES,
    UNCHECKED,
    Flag,
    OllamaCommand,
    Takes,
    exists,
)
from modelsmith.doctor.shell import Word
from modelsmith.doctor.values import is_duration, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

GLUED = re.compile(r"ollama(?P<flag>--[a-z][\w-]*|-(?:v|h|version|help))")
_NAME = re.compile(r"[a-z][a-z_-]*")
_MODEL = re.compile(r"[A-Za-z0-9./~][\w.:/-]*")
_NAMED = re.compile(r"(?=.*[\d:/<-])[\w.:/<>-]+")
_DASH = re.compile(r"[–—−]+(?P<name>[A-Za-z][\w-]*)(?P<rest>=.*)?", re.DOTALL)
_SAYS_VALUE = re.compile(r"(?:true|false|on|off|yes|no|high|medium|low|max|0|1)", re.IGNORECASE)


def check_glued(program: Word) -> Iterator[Diagnostic]:
    """Yield a finding for ``ollama--version``, where a space is missing."""
    if match := GLUED.fullmatch(program.value):
        yield finding(
            "MSD02",
            f'there is no program "{program.value}": a space is missing before {match["flag"]}',
            program.span,
            f"write ollama {match['flag']}",
        )


def check_call(words: Sequence[Word], scene: Scene, *, open_ended: bool = False) -> Iterator[Diagnostic]:
    """Yield what is wrong with the arguments of ``ollama``; ``open_ended`` where more arguments come that cannot be seen."""
    words = list(words)
    while words and words[0].value.startswith("-"):
        yield from _flag(words.pop(0), ROOT, scene)
    if not words:
        return
    name, rest = words[0], words[1:]
    if name.value in UNCHECKED or not _NAME.fullmatch(name.value):
        if name.value.lower() in COMMANDS and scene.is_certain and name.value.istitle():
            yield finding("MSD02", f"commands are written small: {name.value.lower()}", name.span)
        return
    command = COMMANDS.get(name.value)
    if command is None:
        yield from _unknown_command(name, rest, scene)
        return
    if not exists(command, scene.version):
        yield finding("MSD02", f"Ollama {scene.version} has no `ollama {command.name}`{_life(command)}", name.span)
        return
    yield from _arguments(command, name, rest, scene, open_ended=open_ended)


def _life(row: OllamaCommand | Flag) -> str:
    since = f"; it came with {row.since}" if row.since else ""
    return f"{since}; it went with {row.until}" if row.until else since


def _unknown_command(name: Word, rest: Sequence[Word], scene: Scene) -> Iterator[Diagnostic]:
    meant = SUBCOMMANDS.get(name.value, "")
    if rest and rest[0].value == "is":  # "ollama version is 0.12.0" is what Ollama prints
        return
    if not scene.is_certain and (not meant or len(rest) > 2 or not all(_NAMED.fullmatch(word.value) for word in rest)):
        return
    guess = "" if meant else did_you_mean(name.value, COMMANDS)
    hint = f"use {meant}" if meant else f"the commands are {', '.join(sorted(set(COMMANDS) - {'agent'}))}"
    yield finding("MSD02", f"Ollama has no command `ollama {name.value}`{guess}", name.span, hint)


def _arguments(
    command: OllamaCommand, name: Word, rest: Sequence[Word], scene: Scene, *, open_ended: bool
) -> Iterator[Diagnostic]:
    given: list[Word] = []
    unknown: list[tuple[Word, str]] = []
    values: dict[str, Word] = {}
    switches: dict[str, Word] = {}
    experimental = False
    queue = list(rest)
    while queue:
        word = queue.pop(0)
        if word.value == "--":
            open_ended = open_ended or command.name == "launch"
            given += queue
            break
        if match := _DASH.fullmatch(word.value):
            yield finding(
                "MSD10",
                f'"{word.value[0]}" is a dash of typography; a flag begins with --',
                word.span,
                f"write --{match['name']}",
            )
            continue
        if not re.match(r"--?[A-Za-z]", word.value) or word.quoted:
            given.append(word)
            continue
        flag = _known(command, word)
        if flag is None or not exists(flag, scene.version):
            if word.value not in {"--help", "-h"}:
                unknown.append((word, queue[0].value if queue else ""))
            if (
                queue
                and "=" not in word.value
                and flag is None
                and not _MODEL_LIKE.search(queue[0].value)
                and not queue[0].value.startswith("-")
            ):
                queue.pop(0)
            continue
        experimental = experimental or flag.name == "experimental"
        switches.setdefault(flag.name, word)
        value: Word | None = None
        _, equals, joined = word.value.partition("=")
        if equals:
            value = Word(joined, word.part(len(word.value) - len(joined)))
        elif flag.takes is Takes.VALUE:
            value = queue.pop(0) if queue else None
            if value is None and scene.is_certain and not open_ended:
                yield finding("MSD02", f"{word.value} lacks its value", word.span, f"write {word.value} VALUE")
        elif queue and _SAYS_VALUE.fullmatch(queue[0].value):
            yield _separate(word, queue.pop(0))
            continue
        if value is not None:
            values[flag.name] = value
            yield from _value(flag, value, scene)
    if command.name == "create" and scene.is_certain:
        yield from check_create(given, values, scene, experimental=experimental)
    elif command.name == "push" and scene.is_certain:
        yield from check_push(given)
    elif command.name == "show":
        yield from check_show(switches)
    for word, following in unknown:
        yield from _flag(word, command, scene, following=following, lacks_model=not given and command.least > 0)
    if not unknown and not open_ended:
        yield from _count(command, name, given, scene, has_flags=len(given) < len(rest))


_MODEL_LIKE = re.compile(r"[A-Za-z].*[:/\d]|^[a-z]{4,}")


def _known(command: OllamaCommand, word: Word) -> Flag | None:
    text = word.value.partition("=")[0]
    return command.flag(text[2:]) if text.startswith("--") else command.flag(text[1:2])


def _separate(word: Word, value: Word) -> Diagnostic:
    text = value.value.lower()
    written = f"{word.value}={ {'on': 'true', 'yes': 'true', '1': 'true', 'off': 'false', 'no': 'false', '0': 'false'}.get(text, text) }"
    return finding(
        "MSD02",
        f'{word.value} takes its value only with "=": here it means true, and "{value.value}" becomes an argument',
        value.span,
        f"write {written}",
    )


def _value(flag: Flag, value: Word, scene: Scene) -> Iterator[Diagnostic]:
    text = value.value
    if is_placeholder(text):
        return
    if flag.name == "think" and scene.version.has("0.11.0"):
        since = THINK_VALUES.get(text)
        if since is None or (since and not scene.version.has(since)):
            known = ", ".join(
                name for name, version in THINK_VALUES.items() if not version or scene.version.has(version)
            )
            yield finding("MSD08", f"--think takes {known}, not {text}", value.span, severity=Severity.ERROR)
    elif flag.name == "keepalive" and not is_duration(text):
        yield finding(
            "MSD08", f'--keepalive takes a duration with its unit, not "{text}"', value.span, "write 30m, or -1m for ever",
            Severity.ERROR,
        )  # fmt: skip
    elif flag.name == "format" and text != "json" and not text.lstrip().startswith(("{", '"')):
        yield finding(
            "MSD08", f'--format takes json or a JSON schema, not "{text}"', value.span, severity=Severity.ERROR
        )


def _flag(
    word: Word, command: OllamaCommand, scene: Scene, *, following: str = "", lacks_model: bool = False
) -> Iterator[Diagnostic]:
    text, _, joined = word.value.partition("=")
    if text in {"--help", "-h"} or is_placeholder(text):
        return
    name = text.lstrip("-")
    flag = _known(command, word)
    if flag is not None and exists(flag, scene.version):
        return
    where = f"ollama {command.name}".rstrip()
    span = word.part(0, len(text))
    if flag is not None:
        yield finding("MSD02", f"`{where}` of Ollama {scene.version} has no flag {text}{_life(flag)}", span)
        return
    lacking = "; and no model is named" if lacks_model else ""
    yield finding(
        "MSD02", f"`{where}` has no flag {text}{lacking}", span, flag_hint(name, command, text, joined or following)
    )


def flag_hint(name: str, command: OllamaCommand, text: str, value: str = "") -> str:
    """Return what was meant by an invented flag."""
    folded = name.lower().replace("_", "-")
    invention = FLAGS_OF.get((command.name, folded)) or FLAGS.get(folded)
    if invention is None:
        known = [f"--{flag.name}" for flag in command.flags]
        guess = did_you_mean(text, known).removeprefix("; ")
        return guess or (f"the flags are {', '.join(known)}" if known else f"`{command.usage}` has no flags of its own")
    return meaning(invention, value)


_NOTES = {
    "num_gpu": " (a number of layers, not of GPUs)",
    "num_predict": " (what it thinks counts too)",
    "num_ctx": " (OLLAMA_CONTEXT_LENGTH for the whole server)",
}


def meaning(invention: Invention, given: str = "") -> str:
    """Return the way out for an invented name; a number is taken over, except for num_gpu, where another one was meant."""
    if invention.parameter:
        name = invention.parameter
        value = given if name != "num_gpu" and re.fullmatch(r"-?\d+(?:\.\d+)?", given) else "VALUE"
        note = _NOTES.get(name, "")
        return (
            f"{name} is a parameter of the model{note}: PARAMETER {name} {value} in a Modelfile, /set parameter {name} {value} in the "
            f'chat, or "{name}" in the options of the API'
        )
    return invention.meant


def _count(
    command: OllamaCommand, name: Word, given: Sequence[Word], scene: Scene, *, has_flags: bool
) -> Iterator[Diagnostic]:
    if not scene.is_certain or any(is_placeholder(word.value) or word.value[:1] in "[(" for word in given):
        return
    if len(given) < command.least:
        if scene.excerpt.kind is BlockKind.COMMAND or has_flags:
            yield finding("MSD02", f"`ollama {command.name}` lacks an argument", name.span, f"write {command.usage}")
    elif command.most is not None and len(given) > command.most:
        extra = given[command.most]
        if not all(_MODEL.fullmatch(word.value) for word in given[command.most :]) or len(given) > command.most + 4:
            return
        hint = f"write {command.usage}"
        if command.name == "serve":
            hint = f"the server loads models when they are asked for: ollama serve, then ollama run {extra.value}"
        elif command.name == "create":
            hint = f"name the Modelfile with -f: ollama create {given[0].value} -f {extra.value}"
        elif command.name in {"pull", "push", "stop"}:
            hint = f"one model at a time: ollama {command.name} {given[0].value} && ollama {command.name} {extra.value}"
        yield finding(
            "MSD02",
            f"`ollama {command.name}` takes {command.most or 'no'} argument{'s'[: command.most != 1]}, not {len(given)}",
            extra.span,
            hint,
        )
