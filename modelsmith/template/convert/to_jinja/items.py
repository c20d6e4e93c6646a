"""The pieces of a Jinja template that is being written, and their text.

Every tag takes away the white space before it (``{%-``) and all that is printed stands in quotes, so the lay-out can be
for people: neither ``trim_blocks`` nor ``lstrip_blocks`` nor a line end at the end of the file changes the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Print:
    """``{{- code }}``; ``code`` is a text and can be added to others."""

    code: str


@dataclass(frozen=True, slots=True)
class Statement:
    """``{%- code %}``, with nothing inside."""

    code: str


@dataclass(frozen=True, slots=True)
class Case:
    """``{%- if … %}`` with its branches; the condition of an ``else`` is empty."""

    branches: tuple[tuple[str, tuple[Item, ...]], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``{%- for … %}`` and, if it goes over nothing, ``otherwise``."""

    head: str
    items: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()


Item: TypeAlias = Print | Statement | Case | Loop


def quoted(text: str) -> str:
    """Return a text as Jinja writes it."""
    return f"'{text.translate(_ESCAPES)}'"


def written(items: Sequence[Item], depth: int = 0) -> str:
    """Return the items as template text, a line a tag."""
    return "".join(f"{_INDENT * level}{line}\n" for level, line in _lines(items, depth))


def _lines(items: Sequence[Item], depth: int) -> Iterator[tuple[int, str]]:
    for item in _joined(items):
        if isinstance(item, Print):
            yield depth, f"{{{{- {item.code} }}}}"
        elif isinstance(item, Statement):
            yield depth, f"{{%- {item.code} %}}"
        elif isinstance(item, Loop):
            yield depth, f"{{%- for {item.head} %}}"
            yield from _lines(item.items, depth + 1)
            if item.otherwise:
                yield depth, "{%- else %}"
                yield from _lines(item.otherwise, depth + 1)
            yield depth, "{%- endfor %}"
        else:
            word = "if"
            for condition, inner in item.branches:
                yield depth, f"{{%- {word} {condition} %}}" if condition else "{%- else %}"
                yield from _lines(inner, depth + 1)
                word = "elif"
            yield depth, "{%- endif %}"


def _joined(items: Sequence[Item]) -> list[Item]:
    """Return the items with what is printed in a row in one tag, and neighbouring quoted texts made one."""
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if not isinstance(item, Print) or not isinstance(last, Print):
            found.append(item)
        elif _is_quoted(last.code) and _is_quoted(item.code):
            found[-1] = Print(last.code[:-1] + item.code[1:])
        elif " + " in last.code and _is_quoted(item.code) and _is_quoted(tail := _last_part(last.code)):
            found[-1] = Print(last.code[: -len(tail)] + tail[:-1] + item.code[1:])
        else:
            found[-1] = Print(f"{last.code} + {item.code}")
    return found


def _last_part(code: str) -> str:
    """Return the quoted text at the end of a sum, "" where there is none."""
    if not code.endswith("'"):
        return ""
    place = len(code) - 2
    while place >= 0 and (code[place] != "'" or _is_escaped(code, place)):
        place -= 1
    return code[place:] if code[:place].endswith(" + ") else ""


def _is_quoted(code: str) -> bool:
    """Say whether the code is one quoted text."""
    if len(code) < 2 or not (code.startswith("'") and code.endswith("'")):
        return False
    return all(_is_escaped(code, place) for place in range(1, len(code) - 1) if code[place] == "'")


def _is_escaped(code: str, place: int) -> bool:
    before = code[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
