"""Go variables of what outlives rounds of a loop: their names, and the kinds of values they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.template.convert.translate.code.go_code import (
    Code,
    Cond,
    Do,
    Lit,
    Loop,
    Out,
    Piece,
    Raw,
    Use,
    operand,
    pieces,
    quoted,
)
from modelsmith.template.convert.translate.values.remembering import COMPLETE, INCOMPLETE, kind_of_list
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    TEXTS,
    Broken,
    Built,
    Go,
    Items,
    Known,
    NeedsVariable,
    Pick,
    Seen,
    Thing,
    Unset,
    Value,
    cannot,
)
from modelsmith.template.jinja.engine.values.model import Undefined

if TYPE_CHECKING:
    from collections.abc import Mapping


Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the template gets messages: contents as parts, arguments as objects, system texts in front of the first user's.

    ``blocks`` and ``thinking``: reasoning as parts of the content, or by that name; ``sorted``: results in the order of the calls.
    """

    parts: bool = False
    objects: bool = True
    joined: bool = False
    blocks: bool = False
    thinking: bool = False
    sorted: bool = False


BROKEN = "broken"
"""The kind of what no variable can keep; that matters where it is used."""


def variable_of(key: Key) -> str:
    """Return the Go variable of something that outlives rounds."""
    return "$" + "_".join(re.sub(r"\W", "_", str(part)) for part in (key[-1], *key[:-1]))


def kind_of(key: Key) -> str:
    """Return the Go variable that says which kind of value it has."""
    return variable_of(key) + "_is"


def kind_of_value(value: Value) -> str:
    """Return the kind of a value as a variable keeps it; what none can keep is of a kind that nothing can be made of."""
    match value:
        case Known(None):
            return "none"
        case Known(bool()):
            return "bool"
        case Known(int()):
            return "int"
        case Known(known) if isinstance(known, Undefined):
            return "missing"
        case Known(str()) | Built():
            return "text"
        case Go(_, kind):
            return "text" if kind in TEXTS else kind
        case Items(()):
            return "empty"
        case Thing(kind) if not value.tests and not value.reversed:
            return f"thing {kind}"
        case Items() | Seen():
            return kind_of_list(value)
        case Unset(key):
            raise NeedsVariable(key)
        case _:
            return BROKEN


def value_of_kind(kind: str, name: str) -> Value:
    """Return what is in a variable with a value of this kind."""
    if kind.startswith("thing "):
        return Thing(kind[6:], name)
    if kind == BROKEN:
        return Broken(cannot("a list or an object that changes while the chat goes on").message)
    known: Mapping[str, Value] = {"none": Known(None), "missing": MISSING, "empty": Items(())}
    if kind == "bool":
        return Pick(name, Known(True), Known(False))
    if kind == "int":
        return Go(name, kind, -1)  # no length is below zero: what is kept is one more
    if kind in {COMPLETE, INCOMPLETE}:
        return Seen((Out(name),), kind == COMPLETE)
    return known.get(kind) or Go(name, kind)


def only_booleans(value: Value) -> bool:
    """Say whether a value is true or false, whichever it is."""
    if isinstance(value, Pick):
        return only_booleans(value.yes) and only_booleans(value.no)
    return isinstance(value, Known) and isinstance(value.value, bool)


def can_be_kept(value: Value) -> bool:
    """Say whether a value can be put into a variable."""
    if isinstance(value, Pick):
        return can_be_kept(value.yes) and can_be_kept(value.no)
    return not isinstance(value, Built) or code_can_be_kept(value.code)


def code_can_be_kept(code: Code) -> bool:
    """Say whether what code prints can be put into a variable."""
    return not any(isinstance(piece, (Raw, Use)) for piece in pieces(code))


def appended(name: str, code: Code) -> Code:
    """Return the code that adds to a variable what other code prints."""
    found: list[Piece] = []
    parts: list[str] = []

    def flush() -> None:
        if parts:
            found.append(Do(f"{name} = print {name} {' '.join(parts)}"))
            parts.clear()

    for piece in code:
        match piece:
            case Lit(text):
                if text:
                    parts.append(quoted(text))
            case Out(expression):
                parts.append(operand(expression))
            case Cond(test, yes, no):
                flush()
                found.append(Cond(test, appended(name, yes), appended(name, no)))
            case Loop(head, dot, body):
                flush()
                found.append(Loop(head, dot, appended(name, body)))
            case Do():
                flush()
                found.append(piece)
            case _:
                raise cannot("JSON that is put into a variable")
    flush()
    return tuple(found)
