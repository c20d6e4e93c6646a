"""Go template code as a tree: what a translation is made of before it is written out, and how its expressions are put together.

A text of the original is a list of such pieces, printed at once or kept for later. A condition (``Truth``) is an expression,
or known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATOM = re.compile(r'[$.\w]+|"(?:[^"\\]|\\.)*"|\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)[.\w]*')


@dataclass(frozen=True, slots=True)
class Lit:
    """A text that is printed as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Out:
    """An expression that is printed: a text or a number."""

    expression: str


@dataclass(frozen=True, slots=True)
class Do:
    """An action that prints nothing."""

    action: str


@dataclass(frozen=True, slots=True)
class Cond:
    """``if``."""

    test: str
    yes: Code
    no: Code = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """``range``: ``head`` is all behind the word, ``dot`` the variable of the element, or empty."""

    head: str
    dot: str
    body: Code


@dataclass(frozen=True, slots=True)
class Raw:
    """Code for a dot: a piece that writes JSON."""

    code: str
    dot: str


@dataclass(frozen=True, slots=True)
class Use:
    """A named template that is called with a value."""

    title: str
    argument: str


@dataclass(frozen=True, slots=True)
class Hole:
    """What a text was before a round of a loop that adds to it."""

    key: tuple[object, ...]


Piece: TypeAlias = Lit | Out | Do | Cond | Loop | Raw | Use | Hole
Code: TypeAlias = tuple[Piece, ...]
Truth: TypeAlias = "bool | str"


_TWO_BYTES = 0xFFFF


def quoted(text: str) -> str:
    """Return a text as Go's string literal; what does not print is escaped, since Ollama drops some of it from a Modelfile."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(character) for character in written)


def _escaped(character: str) -> str:
    point = ord(character)
    return f"\\U{point:08x}" if point > _TWO_BYTES else f"\\u{point:04x}"


def operand(expression: str) -> str:
    """Return an expression as it stands among the operands of another."""
    return expression if _ATOM.fullmatch(expression) else f"({expression})"


def field(owner: str, name: str) -> str:
    """Return the expression of a field."""
    return f".{name}" if owner == "." else f"{operand(owner)}.{name}"


def applied(function: str, *operands: str) -> str:
    """Return the expression that calls a function."""
    return " ".join((function, *map(operand, operands)))


def both(one: Truth, other: Truth) -> Truth:
    """Return ``one and other``."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    if one == negated(other) or other == negated(one):
        return False
    return one if one == other else applied("and", one, other)


def either(one: Truth, other: Truth) -> Truth:
    """Return ``one or other``."""
    if isinstance(one, bool):
        return True if one else other
    if isinstance(other, bool):
        return True if other else one
    if one == negated(other) or other == negated(one):
        return True
    return one if one == other else applied("or", one, other)


def negated(truth: Truth) -> Truth:
    """Return ``not truth``."""
    if isinstance(truth, bool):
        return not truth
    if truth.startswith("not "):
        return truth[4:].removeprefix("(").removesuffix(")") if truth[4:5] == "(" else truth[4:]
    if truth.startswith("eq ") and len(operands(truth)) == 2:
        return f"ne {truth[3:]}"
    return applied("not", truth)


def operands(expression: str) -> list[str]:
    """Return the operands of a call."""
    depth, found, quoted_text = 0, [""], False
    previous = ""
    for char in expression.partition(" ")[2]:
        if char == '"' and previous != "\\":
            quoted_text = not quoted_text
        previous = "" if previous == "\\" else char
        if not quoted_text:
            depth += (char == "(") - (char == ")")
            if char == " " and not depth:
                found.append("")
                continue
        found[-1] += char
    return found


def filled(count: str) -> str | None:
    """Return the condition under which a count is not 0, of what is counted itself; None for a number that is no ``len``."""
    counted = operands(count) if count.startswith("len ") else []
    if len(counted) != 1:
        return None
    return counted[0][1:-1] if counted[0].startswith("(") and counted[0].endswith(")") else counted[0]


def conditional(test: Truth, yes: Code, no: Code) -> Code:
    """Return the code that is one or the other; what both begin or end with stands outside."""
    if isinstance(test, bool):
        return yes if test else no
    if yes == no:
        return yes
    start = 0
    while start < min(len(yes), len(no)) and yes[start] == no[start]:
        start += 1
    stop = 0
    while stop < min(len(yes), len(no)) - start and yes[len(yes) - 1 - stop] == no[len(no) - 1 - stop]:
        stop += 1
    if _assigned(yes[:start]) & set(re.findall(r"\$\w+", test)):
        start = 0  # what changes a variable may change the test
    inner = (yes[start : len(yes) - stop], no[start : len(no) - stop])
    found = Cond(test, *inner) if inner[0] else Cond(str(negated(test)), inner[1])
    return (*yes[:start], found, *yes[len(yes) - stop :])


def _assigned(code: Code) -> set[str]:
    """Return the variables that code gives other values."""
    actions = (piece.action for piece in pieces(code) if isinstance(piece, Do))
    return {name for action in actions for name in re.findall(r"\$\w+", action.partition("=")[0])}


def joined(code: Code) -> Code:
    """Return the same code with neighbouring texts as one."""
    found: list[Piece] = []
    for piece in code:
        if isinstance(piece, Lit):
            if not piece.text:
                continue
            if found and isinstance(found[-1], Lit):
                found[-1] = Lit(found[-1].text + piece.text)
                continue
        found.append(piece)
    return tuple(found)


def pieces(code: Code) -> Iterator[Piece]:
    """Yield all pieces, those inside of others too."""
    for piece in code:
        yield piece
        if isinstance(piece, Cond):
            yield from pieces(piece.yes)
            yield from pieces(piece.no)
        elif isinstance(piece, Loop):
            yield from pieces(piece.body)


def prints(code: Code) -> bool:
    """Say whether anything may be printed."""
    return any(isinstance(piece, (Out, Raw, Use)) or (isinstance(piece, Lit) and piece.text) for piece in pieces(code))
