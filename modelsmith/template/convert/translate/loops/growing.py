"""What loops add to texts and lists: kept as code, so that no variable is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Hole, Loop, Truth, pieces
from modelsmith.template.convert.translate.values.printed import printed
from modelsmith.template.convert.translate.values.values import (
    FAILED,
    GROWN,
    MISSING,
    Built,
    Each,
    Fields,
    Items,
    NeedsVariable,
    Rest,
    Unset,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsmith.template.convert.translate.code.go_code import Code, Piece
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.variables import Key
    from modelsmith.template.jinja.engine.tree import nodes

    Branches = Callable[[State, Truth, Callable[[], bool], Callable[[], bool]], bool]


@dataclass(frozen=True, slots=True)
class Added:
    """What a round adds to a list, and when."""

    value: Value
    guard: Truth


def grown_in(state: State, node: nodes.For) -> list[Key]:
    """Return what is known to be texts that this loop adds to."""
    return [
        key
        for key, kinds in state.variables.items()
        if key[:2] == (GROWN, node.start) and kinds == [GROWN] and key[2] in state.cells
    ]


def unset(state: State, keys: Sequence[Key]) -> None:
    """Let members be unset that each round of a loop sets before it uses them: as a round begins, and behind the loop."""
    for key in keys:
        if key[2] in state.cells:
            cell = state.cells[key[2]]
            state.cells[key[2]] = Fields({**cell.values, key[3]: Unset(key)})


def hollow(state: State, key: Key) -> Value:
    """Put a hole in place of a text; return the text."""
    cell = state.cells[key[2]]
    old = cell.values.get(key[3], MISSING)
    hole: Value = Items((Rest(key),)) if isinstance(old, Items) else Built((Hole(key),))
    state.cells[key[2]] = Fields({**cell.values, key[3]: hole})
    return old


def filled(state: State, key: Key, old: Value) -> Code | Added:
    """Return what a round adds to a text or a list; raises NeedsVariable where it does something else with it."""
    cell = state.cells[key[2]]
    found = cell.values[key[3]]
    if isinstance(old, Items):
        if (
            not isinstance(found, Items)
            or len(found.values) != 2
            or found.values[0] != Rest(key)
            or found.guard(0) is not True
        ):
            raise NeedsVariable(key, FAILED)
        state.cells[key[2]] = Fields({**cell.values, key[3]: old})
        return Added(found.values[1], found.guard(1))
    code = printed(found)
    rest = code[1:]
    if code[:1] != (Hole(key),) or any(isinstance(piece, Hole) and piece.key == key for piece in pieces(rest)):
        raise NeedsVariable(key, FAILED)
    state.cells[key[2]] = Fields({**cell.values, key[3]: old})
    return rest


def add_grown(state: State, grown: Mapping[Key, Code | Added], code: Code, whole: Callable[[Code], Code]) -> None:
    """Add to texts and lists what the rounds add: a loop of its own, which prints nothing else."""
    for key, added in grown.items():
        if any(isinstance(piece, Hole) and piece.key == key for piece in pieces(code)):
            raise NeedsVariable(key, FAILED)
        silent = _silent(code)
        if any(
            isinstance(piece, Do) and mentions(piece.action.partition("=")[0], state.changing)
            for piece in pieces(silent)
        ):
            raise NeedsVariable(key, FAILED)
        cell = state.cells[key[2]]
        old = cell.values[key[3]]
        if isinstance(added, Added):
            more = Each(_behind(silent, whole), added.value, added.guard)
            if isinstance(old, Items):
                guards = (*old.guards, True) if old.guards else ()
                state.cells[key[2]] = Fields({**cell.values, key[3]: Items((*old.values, more), guards)})
            continue
        before = printed(old)
        state.cells[key[2]] = Fields({**cell.values, key[3]: Built((*before, *whole((*silent, *added))))})


def _behind(silent: Code, around: Callable[[Code], Code]) -> Callable[[Code], Code]:
    return lambda body: around((*silent, *body))


def _silent(code: Code) -> Code:
    """Return the code without what it prints."""
    found: list[Piece] = []
    for piece in code:
        if isinstance(piece, Do):
            found.append(piece)
        elif isinstance(piece, Cond):
            yes, no = _silent(piece.yes), _silent(piece.no)
            if yes or no:
                found.append(Cond(piece.test, yes, no))
        elif isinstance(piece, Loop):
            inner = _silent(piece.body)
            if inner:
                found.append(Loop(piece.head, piece.dot, inner))
    return tuple(found)


def mentions(fact: str, names: set[str]) -> bool:
    """Say whether an expression has one of these variables."""
    return any(name in names for name in re.findall(r"\$\w+", fact))
