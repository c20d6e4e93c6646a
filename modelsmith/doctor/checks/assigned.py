"""MSD10: lines of a shell or a Dockerfile that were to do something and do not: set a variable, pull a model.

Sources: POSIX shells (a blank ends an assignment), cmd ``set /?`` (what stands before ``=`` is the name, with its blanks), ``setx /?``
and launchctl(1) (name and value are two words), PowerShell (a text without quotes behind ``=`` is run as a command).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from modelsmith.doctor.findings import finding
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.invocation import Invocation
    from modelsmith.doctor.scene import Scene
    from modelsmith.doctor.shell import Word

_RUN = re.compile(r"(?m)^[ \t]*RUN[ \t]+(?P<line>(?:[^\n\\]|\\\n|\\)*)")
_ASKS = re.compile(r"\bollama[ \t]+(?:pull|push|run|create|list|show|cp|rm)\b")
_SERVES = re.compile(r"\bollama[ \t]+(?:serve|start)\b|\.sh\b")
_NAME = re.compile(r"OLLAMA_[A-Z_]+")
_JOINED = re.compile(r"(?P<name>OLLAMA_[A-Z_]+)=(?P<value>.*)", re.DOTALL)
_POWERSHELL = re.compile(r"\$env:(?P<name>OLLAMA_\w+)[ \t]*=[ \t]*(?P<value>[^\s\"'$@({;|][^\n;|#\"']*)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[kmgt]b)?")


def check_assigned(invoked: Invocation) -> Iterator[Diagnostic]:
    """Yield what is wrong with the way in which one line sets a variable of Ollama."""
    words = invoked.arguments
    match invoked.program.value:
        case "setx":
            yield from _two_words("setx", [word for word in words if not word.value.startswith("/")])
        case "launchctl" if words and words[0].value == "setenv":
            yield from _two_words("launchctl setenv", words[1:])
        case "set" if len(words) > 1 and _NAME.fullmatch(words[0].value) and words[1].value.startswith("="):
            value = words[1].value[1:] or (words[2].value if len(words) > 2 else "")
            yield finding(
                "MSD10", f'this sets a variable called "{words[0].value} ", with the blank', words[0].span,
                f"write set {words[0].value}={value}",
            )  # fmt: skip
        case "export":
            yield from _cut(words)


def _two_words(command: str, words: Sequence[Word]) -> Iterator[Diagnostic]:
    match = _JOINED.fullmatch(words[0].value) if words else None
    if match is not None:
        yield finding(
            "MSD10", f"this sets nothing: {command} takes the name and the value as two words", words[0].span,
            f"write {command} {match['name']} {match['value']}",
        )  # fmt: skip


def _cut(words: Sequence[Word]) -> Iterator[Diagnostic]:
    """Yield values that a blank ends: ``export A=10 minutes``."""
    for word, following in pairwise(words):
        match = _JOINED.fullmatch(word.value)
        plain = re.fullmatch(r"[A-Za-z][\w.:/-]*", following.value)
        if match and match["value"] and plain and not word.quoted and not following.quoted:
            yield finding(
                "MSD10", f'the blank ends the value: {match["name"]} is "{match["value"]}"', following.span,
                f'quote the whole: export {match["name"]}="{match["value"]} {following.value}"',
            )  # fmt: skip


def check_powershell(scene: Scene) -> Iterator[Diagnostic]:
    """Yield values that PowerShell takes for a command."""
    for match in _POWERSHELL.finditer(scene.excerpt.text):
        value = match["value"].rstrip()
        if not _NUMBER.fullmatch(value, 0) and not value.startswith("["):
            yield finding(
                "MSD10", f'this sets nothing: without quotes PowerShell runs "{value}" as a command',
                Span(match.start("value"), match.start("value") + len(value)),
                f'write $env:{match["name"]} = "{value}"',
            )  # fmt: skip


def check_build(scene: Scene) -> Iterator[Diagnostic]:
    """Yield RUN lines of a Dockerfile that ask a server: none runs while an image is built."""
    for match in _RUN.finditer(scene.excerpt.text):
        asks = _ASKS.search(match["line"])
        if asks is not None and not _SERVES.search(match["line"]):
            start = match.start("line") + asks.start()
            yield finding(
                "MSD10", f"no server runs while the image is built: `{asks[0]}` fails", Span(start, start + len(asks[0])),
                "start it in the same line: RUN ollama serve & sleep 5 && ollama pull MODEL; or bring the store along: modelsmith materialize",
            )  # fmt: skip
