"""What a kind of input is, and how inputs are filled up to a megabyte.

A new kind is a call or a function with ``@kind`` in one of the modules beside this one: it writes its files into the folder it is
given, and may return what a server answers, by path. ``{url}`` and ``{host}`` in a command stand for that server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MB = 990_000  # the largest chat template that is read has a million characters
Answers = Mapping[str, bytes]
"""What a server answers, by path."""


@dataclass(frozen=True)
class Kind:
    """``make`` writes the files; each of ``commands`` is the words of one command line."""

    name: str
    make: Callable[[Path], Answers | None]
    commands: tuple[str, ...]


KINDS: list[Kind] = []


def kind(name: str, *commands: str) -> Callable[[Callable[[Path], Answers | None]], None]:
    """Add a kind of input with the commands that read it."""
    return lambda make: KINDS.append(Kind(name, make, commands))


def fill(piece: str, size: int = MB) -> str:
    """Repeat a piece up to a size; {n} in it is its number."""
    if "{n}" not in piece:
        return piece * (size // len(piece.encode()))
    pieces, length, number = [], 0, 0
    while length < size:
        pieces.append(piece.replace("{n}", str(number)))
        length += len(pieces[-1])
        number += 1
    return "".join(pieces)


def text(folder: Path, name: str, content: str) -> None:
    """Write a text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")


LOOP = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
"""A chat template of Jinja."""
HEAD = "name: r\nfrom: sample:deepseek-r1\ncreate: made\n"
"""How a recipe begins."""
