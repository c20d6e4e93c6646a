"""Values that nobody may get to see: what a recipe declares as a secret, hidden in everything that is told.

A secret is hidden where it stands whole, in the spellings of JSON, Python, HTML and URLs, line by line, and where a text was cut
inside of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MASK = "***"
LEAST = 4
"""A shorter secret could not be hidden without hiding everything."""
_LEAST_PIECE = 8
"""Characters of a secret that are hidden where the rest of it was cut off."""

_hidden: list[str] = []
_watching: list[Callable[[], None]] = []


def watch(callback: Callable[[], None]) -> None:
    """Have a function called when there is something to hide, before anything more is told."""
    _watching.append(callback)


def hide(secret: str) -> None:
    """Hide a value of at least ``LEAST`` characters from now on."""
    for callback in _watching:
        callback()
    import json  # only here: most commands hide nothing
    from urllib.parse import quote

    for text in (secret, *(line.strip() for line in secret.splitlines())):
        spellings = (
            text,
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            repr(text)[1:-1],
            quote(text, safe=""),
            text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"),
        )
        quoted = [json.dumps(spelling, ensure_ascii=plain)[1:-1] for spelling in spellings for plain in (True, False)]
        for spelling in (*spellings, *quoted):
            if len(spelling) >= LEAST and spelling not in _hidden:
                _hidden.append(spelling)
    _hidden.sort(key=len, reverse=True)


def unseen(text: str) -> str:
    """Return a text without what is hidden."""
    for secret in _hidden:
        if secret in text:
            text = text.replace(secret, MASK)
    for secret in _hidden:
        if len(secret) > _LEAST_PIECE:
            text = _without_end(_without_start(text, secret), secret)
    return text


def hides() -> bool:
    """Say whether there is anything to hide."""
    return bool(_hidden)


@contextmanager
def hiding() -> Iterator[None]:
    """Forget at the end what was hidden, and who watches, since the beginning."""
    before, watching = list(_hidden), list(_watching)
    try:
        yield
    finally:
        _hidden[:], _watching[:] = before, watching


def _without_start(text: str, secret: str) -> str:
    """Hide the beginning of a secret, as long as it goes on."""
    start = secret[:_LEAST_PIECE]
    place = text.find(start)
    while place >= 0:
        length = _LEAST_PIECE
        while length < len(secret) and text[place + length : place + length + 1] == secret[length]:
            length += 1
        text = text[:place] + MASK + text[place + length :]
        place = text.find(start, place + len(MASK))
    return text


def _without_end(text: str, secret: str) -> str:
    """Hide the end of a secret, as far back as it goes."""
    end = secret[-_LEAST_PIECE:]
    place = text.find(end)
    while place >= 0:
        length = _LEAST_PIECE
        while length < len(secret) and place > 0 and text[place - 1] == secret[-length - 1]:
            length, place = length + 1, place - 1
        text = text[:place] + MASK + text[place + length :]
        place = text.find(end, place + len(MASK))
    return text
