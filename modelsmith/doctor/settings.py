"""Where a text sets environment variables, and for which program.

Sources: POSIX shells (``A=b command``, ``export``), fish (``set -x``), cmd (``set``, ``setx``), PowerShell (``$env:A``), launchd
(``launchctl setenv``), systemd (``Environment=``), Dockerfile (``ENV``), ``docker run -e``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from modelsmith.doctor.excerpt import Language
from modelsmith.doctor.invocation import ASSIGNMENT, IMAGE, container_run
from modelsmith.doctor.shell import Word
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.doctor.invocation import Invocation
    from modelsmith.doctor.scene import Scene


class Form(Enum):
    """How a variable is set."""

    PREFIX = "before a command"
    SESSION = "for what follows"
    CONTAINER = "in a container"
    UNIT = "in a systemd unit"
    FILE = "in a file"


class Owner(Enum):
    """Which program will see it, as far as the text tells."""

    OLLAMA = "Ollama"
    UNKNOWN = "unknown"
    OTHER = "another program"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable that is set; ``command`` is the one of ``ollama`` that it is set for, "" if none."""

    name: str
    name_span: Span
    value: str
    value_span: Span
    form: Form
    owner: Owner
    command: str = ""


_OF_PROGRAMS = frozenset({Language.SETTINGS, Language.YAML, Language.PYTHON, Language.PLIST, Language.OTHER})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTNET = re.compile(
    r"SetEnvironmentVariable\(\s*['\"](?P<name>\w+)['\"]\s*,\s*(?P<quote>['\"])(?P<value>[^'\"\n]*)(?P=quote)"
)


def _of(assignment: Word, form: Form, owner: Owner, command: str = "") -> Iterator[Setting]:
    match = ASSIGNMENT.fullmatch(assignment.value)
    if match is None:
        return
    if match["name"] == "Environment":
        inner = Word(match["value"].strip("\"'"), assignment.part(match.start("value")))
        yield from _of(inner, Form.UNIT, Owner.OLLAMA if owner is not Owner.OTHER else owner)
        return
    yield Setting(
        match["name"],
        assignment.part(0, match.end("name")),
        match["value"],
        assignment.part(match.start("value")),
        form,
        owner,
        command,
    )


def _pair(name: Word, value: Word | None, form: Form, owner: Owner) -> Iterator[Setting]:
    if _NAME.fullmatch(name.value):
        place = value or Word("", Span(name.span.end, name.span.end))
        yield Setting(name.value, name.part(0), place.value, place.part(0), form, owner)


def session_owner(scene: Scene) -> Owner:
    """Return who sees what a block exports."""
    if scene.runs_server:
        return Owner.OLLAMA
    if scene.runs_program or scene.excerpt.language in _OF_PROGRAMS:
        return Owner.OTHER
    return Owner.UNKNOWN


def settings_of(invoked: Invocation, scene: Scene) -> Iterator[Setting]:
    """Yield what a command line sets."""
    program, owner = invoked.program.value, session_owner(scene)
    if invoked.is_ollama:
        command = next((word.value for word in invoked.arguments if not word.value.startswith("-")), "")
        for word in invoked.assignments:
            yield from _of(word, Form.PREFIX, Owner.OLLAMA, command)
    else:
        form = Form.PREFIX if program else Form.FILE if scene.excerpt.language is Language.SETTINGS else Form.SESSION
        seen_by = Owner.OTHER if program and not program.startswith("-") else owner
        for word in invoked.assignments:
            name = word.value.partition("=")[0]
            used = not program and name in scene.expanded  # a script's own
            yield from _of(word, form, Owner.OTHER if used else seen_by)
    yield from _statement(program, invoked.arguments, owner, scene)
    if (run := container_run(invoked)) is not None:
        image = run.image.value if run.image else ""
        for word in run.values("-e", "--env"):
            yield from _of(word, Form.CONTAINER, Owner.OLLAMA if IMAGE.fullmatch(image) else Owner.OTHER)


def _statement(program: str, words: Sequence[Word], owner: Owner, scene: Scene) -> Iterator[Setting]:
    match program:
        case "export" | "declare" | "typeset" | "local" | "readonly" | "env":
            for word in words:
                yield from _of(word, Form.SESSION, owner)
        case "set" | "setenv" | "setx":
            plain = [word for word in words if not word.value.startswith(("-", "/"))]
            if plain and "=" in plain[0].value:
                yield from _of(plain[0], Form.SESSION, owner)
            elif plain:
                yield from _pair(plain[0], plain[1] if len(plain) > 1 else None, Form.SESSION, owner)
        case "launchctl" if words and words[0].value == "setenv" and len(words) > 2:
            yield from _pair(words[1], words[2], Form.SESSION, Owner.OLLAMA)
        case "ENV":
            of = Owner.OLLAMA if scene.builds_ollama else Owner.OTHER
            if words and "=" in words[0].value:
                for word in words:
                    yield from _of(word, Form.CONTAINER, of)
            elif len(words) > 1:
                yield from _pair(words[0], words[1], Form.CONTAINER, of)


def written_settings(scene: Scene) -> Iterator[Setting]:
    """Yield what PowerShell and .NET statements set; they are found by their shape, not by a shell's words."""
    text, owner = scene.excerpt.text, session_owner(scene)
    for match in (*_ENV_COLON.finditer(text), *_DOTNET.finditer(text)):
        value = match["value"].strip()
        start = match.start("value") + len(match["value"]) - len(match["value"].lstrip())
        yield Setting(
            match["name"], Span(*match.span("name")), value, Span(start, start + len(value)), Form.SESSION, owner
        )


_ENV_COLON = re.compile(
    r"\$env:(?P<name>\w+)[ \t]*=[ \t]*(?:(?P<quote>['\"])|)(?P<value>(?(quote)[^'\"\n]*|[^\s;\n]*))", re.IGNORECASE
)


def file_settings(scene: Scene) -> Iterator[Setting]:
    """Yield the ``NAME=value`` lines of an ``.env`` file or a unit."""
    unit = re.search(r"(?m)^[ \t]*(?:\[Service\]|Environment=|ExecStart=)", scene.excerpt.text)
    ours = unit and not re.search(r"ExecStart=(?!.*ollama)", scene.excerpt.text)
    owner = Owner.OLLAMA if ours else Owner.OTHER
    if unit:
        for word in unit_words(scene.excerpt.text):
            yield from _of(word, Form.UNIT, owner)
        return
    for match in _FILE_LINE.finditer(scene.excerpt.text):
        yield Setting(
            match["name"], Span(*match.span("name")), match["value"], Span(*match.span("value")), Form.FILE, owner
        )


def unit_words(text: str) -> Iterator[Word]:
    """Yield the words of each ``Environment=`` as systemd parts them: at blanks, unless quotes hold them together."""
    for line in _UNIT_LINE.finditer(text):
        for match in _UNIT_WORD.finditer(text, line.start("words"), line.end("words")):
            value = match["double"] or match["single"] or match["plain"] or ""
            yield Word(value, Span(*match.span()), quoted=match["plain"] is None)


_FILE_LINE = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?[\"']?(?P<name>[A-Za-z_]\w*)[ \t]?=[ \t]?[\"']?(?P<value>[^\"'\n#]*?)[\"']?[ \t]*(?:#.*)?$"
)
_UNIT_LINE = re.compile(r"(?m)^[ \t]*Environment=(?P<words>[^\n]*)$")
_UNIT_WORD = re.compile(r"\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<plain>[^\s]+)")
