"""Lists of texts that a template puts together and looks into while the chat goes on: kept as one text.

Go templates have no function that adds to a list. Each item is written as as many blanks as it has bytes, a stroke and the item
itself, or a question mark for one that is undefined: so no two lists look alike, whatever is in the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Lit, Loop, Out, conditional, operand
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Items,
    Known,
    Pick,
    Seen,
    Value,
    cannot,
    is_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.code.go_code import Code

COMPLETE, INCOMPLETE = "texts", "texts, some undefined"
"""Kinds of variables that keep such a list."""


def kind_of_list(value: Items | Seen) -> str:
    """Return the kind of a list; raises ConversionError where anything else than texts is in it."""
    if isinstance(value, Seen):
        return COMPLETE if value.complete else INCOMPLETE
    if not all(map(_is_text_or_missing, value.values)):
        raise cannot("a list or an object that changes while the chat goes on")
    return COMPLETE if all(map(is_text, value.values)) else INCOMPLETE


def _is_text_or_missing(value: Value) -> bool:
    if isinstance(value, Pick):
        return _is_text_or_missing(value.yes) and _is_text_or_missing(value.no)
    return value == MISSING or is_text(value)


def remembered(value: Items | Seen, text: Callable[[Value], str]) -> Seen:
    """Return a list as one text; ``text`` gives the Go expression of an item."""
    if isinstance(value, Seen):
        return value
    complete = kind_of_list(value) == COMPLETE
    code: Code = ()
    for place, item in enumerate(value.values):
        code += conditional(value.guard(place), _item(item, text), ())
    return Seen(code, complete)


def _item(value: Value, text: Callable[[Value], str]) -> Code:
    if isinstance(value, Pick) and not is_text(value):
        return conditional(value.test, _item(value.yes, text), _item(value.no, text))
    if value == MISSING:
        return (Lit("?"),)
    if isinstance(value, Known):
        return (Lit(f"{' ' * len(value.value.encode())}|{value.value}"),)
    expression = operand(text(value))
    return (Out(f'printf "%*s|%s" (len {expression}) "" {expression}'),)


def taken_first(whole: str, size: str, part: str) -> Code:
    """Return the code that puts the first text of the list ``whole`` into ``part``, and leaves the others in ``whole``."""
    found = Cond(f'eq (slice (slice {whole} $at) 0 1) "|"', (Do(f"{size} = $at"), Do("break")))
    return (
        Do(f"{size} = 0"),
        Loop(f"$at := len {whole}", "", (found,)),
        Do(f"{part} = slice (slice {whole} {size}) 1"),
        Do(f"{whole} = slice {part} {size}"),
        Do(f"{part} = slice {part} 0 {size}"),
    )


def over_seen(whole: str, start: str, part: str, body: Code) -> Code:
    """Return the code that does something for each text in the list ``whole``: ``part`` is it, ``start`` where the next begins."""
    size = f"(slice {whole} {start} $at)"
    text = (
        Do(f"{part} = slice (slice {whole} $at) 1"),
        Do(f"{part} = slice {part} 0 (len {size})"),
        Do(f'{start} = len (print (slice {whole} 0 $at) "|" {part})'),
        *body,
    )
    mark = f"(slice (slice {whole} $at) 0 1)"
    undefined = (Do(f'{start} = len (print (slice {whole} 0 $at) "?")'),)
    item = Cond(f'eq {mark} "|"', text, (Cond(f'eq {mark} "?"', undefined),))
    return (Do(f"{start} = 0"), Loop(f"$at := len {whole}", "", (Cond(f"ge $at {start}", (item,)),)))


def found_in(whole: str, item: str, start: str, part: str, found: str) -> Code:
    """Return the code that says in the variable ``found`` whether a text is in the list ``whole``."""
    take = (Cond(f"eq {part} {operand(item)}", (Do(f"{found} = true"),)),)
    return (Do(f"{found} = false"), *over_seen(whole, start, part, take))
