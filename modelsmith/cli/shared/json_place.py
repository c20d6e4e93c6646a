"""Where in a JSON text a value stands that is not what it should be."""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING

from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*")
_STEP = re.compile(r"\[(\d+)\]|([A-Za-z_]\w*)")


def path_in(message: str) -> tuple[str | int, ...]:
    """Return the path that a message begins with: ``messages[0].role is …`` is ``("messages", 0, "role")``."""
    found = _PATH.match(message)
    return tuple(int(step[1]) if step[1] else step[2] for step in _STEP.finditer(found[0])) if found else ()


def locate(text: str, path: Sequence[str | int]) -> Span | None:
    """Return where the value at a path stands in a JSON text, as far down as the path can be followed; None for no JSON."""
    try:
        place = _skip(text, 0)
        for step in path:
            inner = _member(text, place, step)
            if inner is None:
                break
            place = inner
        return Span(place, _end(text, place))
    except (JSONDecodeError, ValueError, IndexError, RecursionError):
        return None


def _member(text: str, place: int, step: str | int) -> int | None:
    """Return where the value of a key (the last of that name, as JSON readers take it) or an index begins."""
    if text[place] not in "{[":
        return None
    is_object = text[place] == "{"
    found, number = None, 0
    place = _skip(text, place + 1)
    while text[place] not in "}]":
        key: str | int = number
        if is_object:
            key, place = JSONDecoder().raw_decode(text, place)
            place = _skip(text, _skip(text, place) + 1)
        if key == step:
            found = place
        place = _skip(text, _end(text, place))
        place = _skip(text, place + 1) if text[place] == "," else place
        number += 1
    return found


def _end(text: str, place: int) -> int:
    return JSONDecoder().raw_decode(text, place)[1]


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
