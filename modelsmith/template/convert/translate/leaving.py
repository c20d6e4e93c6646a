"""What a branch prints is lost where it leaves the loop or the round: llama-server drops the texts of the ``if`` that it jumps out of.

Source: llama.cpp common/jinja/runtime.cpp (a break or continue passes through an if statement without what that has gathered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Loop, Out, pieces, prints
from modelsmith.template.convert.translate.values.values import cannot

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.code.go_code import Code, Piece

LEAVES = frozenset({"break", "continue"})


def without_lost(code: Code, *, goes_on: bool, left: bool) -> Code:
    """Return the code of a branch without what it prints before it leaves; raises ConversionError where that is not known yet.

    ``goes_on``: what follows the branch is reached. ``left``: it leaves a loop that is written out round by round.
    """
    if not goes_on:
        return _silenced(code) if left or _may_leave(code) else code
    found: tuple[Piece, ...] = ()
    for piece in code:
        if not _may_leave((piece,)) or not prints(found):
            found += (piece,)
        elif isinstance(piece, Cond) and not any(isinstance(before, Do) for before in pieces(found)):
            found = (_behind(found, piece),)
        else:
            raise cannot("what a branch prints before it may leave a loop")
    return found


def _may_leave(code: Code) -> bool:
    for piece in code:
        if isinstance(piece, Do) and piece.action in LEAVES:
            return True
        if isinstance(piece, Cond) and (_may_leave(piece.yes) or _may_leave(piece.no)):
            return True
    return False


def _behind(texts: Code, condition: Cond) -> Cond:
    """Return a condition that prints texts on the side that does not leave."""
    return Cond(condition.test, *(_printed_unless_left(texts, side) for side in (condition.yes, condition.no)))


def _printed_unless_left(texts: Code, side: Code) -> Code:
    for place, piece in enumerate(side):
        if isinstance(piece, Do) and piece.action in LEAVES:
            return side
        if isinstance(piece, Cond) and _may_leave((piece,)):
            if any(isinstance(before, Do) for before in pieces(side[:place])):
                raise cannot("what a branch prints before it may leave a loop")
            return (_behind((*texts, *side[:place]), piece), *side[place + 1 :])
    return (*texts, *side)


def _silenced(code: Code) -> Code:
    """Return code without what it prints; what fails still fails."""
    found: list[Piece] = []
    for piece in code:
        match piece:
            case Do():
                found.append(piece)
            case Out(expression) if expression.startswith('index "" '):
                found.append(piece)
            case Cond(test, yes, no):
                quiet, quiet_too = _silenced(yes), _silenced(no)
                if quiet or quiet_too:
                    found.append(Cond(test, quiet, quiet_too))
            case Loop(head, dot, body):
                if quiet := _silenced(body):
                    found.append(Loop(head, dot, quiet))
            case _:
                pass
    return tuple(found)
