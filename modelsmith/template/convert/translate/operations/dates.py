"""Dates in a Go template: Ollama gives it today's as YYYY-MM-DD, of which other forms are made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Lit, Out, Piece
from modelsmith.template.convert.translate.values.values import Built, Value, cannot

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.state import State

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_PARTS = {
    "Y": "slice currentDate 0 4",
    "m": "slice currentDate 5 7",
    "d": "slice currentDate 8 10",
    "B": "$month",
    "b": "slice $month 0 3",
}


def date_text(state: State, form: str) -> Value:
    """Return today's date in one of C's forms; raises ConversionError for what no Go template knows, such as the hour."""
    found: list[Piece] = []
    for text, letter in re.findall(r"([^%]*)(?:%(.))?", form.replace("%F", "%Y-%m-%d")):
        if text:
            found.append(Lit(text))
        if letter == "%":
            found.append(Lit("%"))
        elif letter:
            if letter not in _PARTS:
                raise cannot(f"%{letter} of a date")
            found.append(Out(_PARTS[letter]))
    if any(isinstance(piece, Out) and "$month" in piece.expression for piece in found):
        state.declared["$month"] = '"December"'
    return Built(tuple(found))


def month() -> tuple[Piece, ...]:
    """Return the code that sets ``$month`` to the name of this month."""
    found: tuple[Piece, ...] = ()
    for number in range(len(MONTHS) - 1, 0, -1):
        name = MONTHS[number - 1]
        found = (Cond(f'eq (slice currentDate 5 7) "{number:02}"', (Do(f'$month = "{name}"'),), found),)
    return found
