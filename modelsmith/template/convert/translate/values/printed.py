"""The code that prints a value, and the text that code prints."""

from __future__ import annotations

from modelsmith.errors import ConversionError
from modelsmith.template.convert.translate.code.go_code import (
    Code,
    Cond,
    Lit,
    Loop,
    Out,
    conditional,
    joined,
)
from modelsmith.template.convert.translate.values.values import (
    LISTS,
    Broken,
    Built,
    Cell,
    Each,
    Go,
    Items,
    Known,
    NeedsVariable,
    Pick,
    Rest,
    Seen,
    Thing,
    Unset,
    Value,
    cannot,
    is_text,
    number,
)
from modelsmith.template.jinja.engine.values.model import Undefined
from modelsmith.template.jinja.engine.values.printing import to_text
from modelsmith.template.jinja.engine.values.texts import from_bytes, to_bytes


def printed(value: Value) -> Code:
    """Return the code that prints a value as Jinja does; one that may be of any kind has none here."""
    match value:
        case Known(known):
            if isinstance(known, Undefined) or known is None:
                return ()
            text = from_bytes(to_text(to_bytes(known) if isinstance(known, str) else known))
            return (Lit(text),) if text else ()
        case Go(_, "int"):
            return (Out(number(value)),)
        case Go(expression, "bool"):
            return (Cond(expression, (Lit("True"),), (Lit("False"),)),)
        case Go(_, "json"):
            raise cannot("a value of any kind printed here")
        case Go(expression):
            return (Out(expression),)
        case Built(code):
            return code
        case Pick(test, yes, no):
            return conditional(test, printed(yes), printed(no))
        case Items(values) if not value.guards and not any(isinstance(item, (Each, Rest)) for item in values):
            found: Code = (Lit("["),)
            for place, item in enumerate(values):
                quote = (Lit("'"),) if is_text(item) else ()
                found += ((Lit(", "),) if place else ()) + quote + printed(item) + quote
            return joined((*found, Lit("]")))
        case Thing("texts" | "kinds", expression):
            comma = Cond("$at", (Lit(", "),))
            body = (comma, Lit("'"), Out("$each"), Lit("'"))
            return (Lit("["), Loop(f"$at, $each := {expression}", "$each", body), Lit("]"))
        case Unset(key):
            raise NeedsVariable(key)
        case Broken(reason):
            raise ConversionError(reason)
        case Thing(kind) if kind in LISTS:
            raise cannot("a list printed as a whole")
        case Items() | Seen() | Cell(_, True):
            raise cannot("a list printed as a whole")
        case _:
            return ()  # objects are not printed at all


def text_of(code: Code) -> str | None:
    """Return the text that code prints, None where that is not known."""
    return (
        "".join(piece.text for piece in code if isinstance(piece, Lit))
        if all(isinstance(piece, Lit) for piece in code)
        else None
    )
