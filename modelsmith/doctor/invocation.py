"""What a command line really runs: behind sudo, env, docker exec, ssh and the like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.doctor.shell import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.doctor.shell import Simple

ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
OLLAMA = re.compile(r"(?:\./|/(?:usr/(?:local/)?)?bin/)?ollama(?:\.exe)?")
IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)*ollama(?::[\w.${}-]+)?(?:@sha256:[0-9a-f]+)?")
"""An image of Ollama itself: its last name is ``ollama``."""

_KEYWORDS = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "@"})
_WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": frozenset(["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group", "--chdir"]),
    "doas": frozenset({"-u"}),
    "env": frozenset({"-u", "-C", "--unset", "--chdir"}),
    "nohup": frozenset(),
    "exec": frozenset({"-a"}),
    "command": frozenset(),
    "time": frozenset({"-f", "-o"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "caffeinate": frozenset({"-t", "-w"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "watch": frozenset({"-n", "--interval"}),
    "xargs": frozenset(["-n", "-I", "-P", "-L", "-d", "-a"]),
    "wsl": frozenset({"-d", "-u", "--distribution", "--user"}),
    "wsl.exe": frozenset({"-d", "-u"}),
    "RUN": frozenset(),
    "ExecStart": frozenset(),
}
_COUNTED = {"timeout": (1, frozenset({"-s", "-k", "--signal", "--kill-after"}))}
_CONTAINERS = frozenset({"docker", "podman", "nerdctl"})
_EXEC = frozenset(
    [
        "-e",
        "--env",
        "-u",
        "--user",
        "-w",
        "--workdir",
        "--env-file",
        "--detach-keys",
        "--index",
        "-c",
        "--container",
        "-n",
        "--namespace",
    ]
)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program with its arguments, the variables set for it, and the programs that it was started through."""

    program: Word
    arguments: tuple[Word, ...]
    assignments: tuple[Word, ...]
    through: tuple[str, ...]
    simple: Simple

    @property
    def is_ollama(self) -> bool:
        """Whether this is the ``ollama`` command."""
        return bool(OLLAMA.fullmatch(self.program.value))

    @property
    def in_container(self) -> bool:
        """Whether it runs inside a container."""
        return bool(_CONTAINERS.intersection(self.through)) or "kubectl" in self.through

    @property
    def more_from_stdin(self) -> bool:
        """Whether its arguments are not all to be seen."""
        return "xargs" in self.through or any(word.value.startswith(("$@", "$*", '"$@')) for word in self.arguments)


def invocation(simple: Simple) -> Invocation | None:
    """Return what a simple command runs; None where it only sets variables."""
    words = list(simple.words)
    assignments: list[Word] = []
    through: list[str] = []
    while words:
        head = words[0].value
        if head in _KEYWORDS:
            words.pop(0)
        elif ASSIGNMENT.fullmatch(head) and not head.startswith("ExecStart"):
            assignments.append(words.pop(0))
        elif match := re.fullmatch(r"ExecStart=(.+)", head):
            words[0] = Word(match[1], words[0].part(len("ExecStart=")))
        elif (rest := _unwrap(words)) is not None:
            through.append(head)
            words = rest
        else:
            return Invocation(words[0], tuple(words[1:]), tuple(assignments), tuple(through), simple)
    if not assignments:
        return None
    return Invocation(Word("", assignments[-1].span), (), tuple(assignments), tuple(through), simple)


def _unwrap(words: list[Word]) -> list[Word] | None:
    """Return the command that a wrapper starts; None where the first word is no wrapper."""
    head = words[0].value
    if head in _WRAPPERS:
        return _skip_options(words[1:], _WRAPPERS[head]) or None
    if head in _COUNTED:
        count, valued = _COUNTED[head]
        return _skip_options(words[1:], valued)[count:] or None
    if head in _CONTAINERS or head == "docker-compose":
        return _of_container(words[1:])
    if head == "kubectl" and any(word.value == "--" for word in words):
        return words[next(place for place, word in enumerate(words) if word.value == "--") + 1 :] or None
    return None


def _of_container(words: list[Word]) -> list[Word] | None:
    while words and words[0].value in {"compose", "container"}:
        words = words[1:]
    words = _skip_options(words, frozenset({"-f", "--file", "-p", "--project-name", "--context", "-H"}))
    if not words or words[0].value != "exec":
        return None
    return _skip_options(words[1:], _EXEC)[1:] or None


def _skip_options(words: list[Word], valued: frozenset[str]) -> list[Word]:
    place = 0
    while place < len(words) and words[place].value.startswith("-"):
        place += 2 if words[place].value in valued else 1
    return words[place:]


@dataclass(frozen=True, slots=True)
class ContainerRun:
    """``docker run`` or ``docker create``: options as (name, value) pairs, the image, and what follows it."""

    options: tuple[tuple[str, Word], ...]
    image: Word | None
    arguments: tuple[Word, ...]

    def values(self, *names: str) -> Iterator[Word]:
        """Yield the values of options."""
        return (value for name, value in self.options if name in names)


_SWITCHES = frozenset(
    [
        "--rm",
        "--init",
        "--privileged",
        "--interactive",
        "--tty",
        "--detach",
        "--read-only",
        "--no-healthcheck",
        "--oom-kill-disable",
        "--publish-all",
        "--sig-proxy",
        "--disable-content-trust",
        "--quiet",
        "--replace",
        "--help",
    ]
)
_VALUED_LETTERS = "aceplmuvwh"


def container_run(invoked: Invocation) -> ContainerRun | None:
    """Read ``docker run``; None for any other command."""
    words = list(invoked.arguments)
    if invoked.program.value not in _CONTAINERS or not words:
        return None
    if words[0].value == "container":
        words = words[1:]
    if not words or words[0].value not in {"run", "create"}:
        return None
    words, options = words[1:], []
    while words and words[0].value.startswith("-"):
        word = words.pop(0)
        name, equals, _ = word.value.partition("=")
        if name.startswith("--"):
            if equals:
                options.append((name, Word(word.value[len(name) + 1 :], word.part(len(name) + 1))))
            elif name in _SWITCHES or not words:
                options.append((name, word))
            else:
                options.append((name, words.pop(0)))
            continue
        letters = word.value[1:]
        place = next((index for index, letter in enumerate(letters) if letter in _VALUED_LETTERS), None)
        options += [(f"-{letter}", word) for letter in (letters if place is None else letters[:place])]
        if place is not None:
            rest = letters[place + 1 :]
            if rest:
                options.append((f"-{letters[place]}", Word(rest.removeprefix("="), word.part(place + 2))))
            elif words:
                options.append((f"-{letters[place]}", words.pop(0)))
    return ContainerRun(tuple(options), words[0] if words else None, tuple(words[1:]))
