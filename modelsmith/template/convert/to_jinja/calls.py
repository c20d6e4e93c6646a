"""Calls of Go's template functions as Jinja expressions.

Source of the functions: Go, text/template/funcs.go; Ollama, template/template.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.to_jinja import values
from modelsmith.template.convert.to_jinja.values import (
    BOOL,
    ELEMENTS,
    FAILS,
    INT,
    MIXED,
    NIL,
    TEXT,
    Known,
    Level,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_VERB = re.compile(r"%(.?)", re.DOTALL)
_VERBS = {"s": (TEXT,), "d": (INT,), "v": (TEXT, INT, BOOL, NIL)}
_PADDED = re.compile(r"([^%]*)%\*s")
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_SIMPLE = frozenset({TEXT, BOOL, INT, NIL, FAILS, values.ANY})


def call(name: str, given: Sequence[Value], loop: int | None) -> Value:
    """Return the call; ``loop`` is the innermost loop. Raises ConversionError for a function that Jinja has nothing for."""
    if name in _COMPARISONS and len(given) == 2:
        return _compared(_COMPARISONS[name], given[0], given[1], loop)
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ConversionError(
            f'the function "{name}" cannot be written in Jinja', hint="take it out of the Go template"
        )
    return function(given, loop)


def condition(value: Value) -> str:
    """Return code that is true where Go takes the value for true."""
    known = value.truth
    return value.code if known is None else str(known).lower()


def negated(value: Value) -> Value:
    """Return ``not value``."""
    if value.truth is not None:
        return values.truth(not value.truth)
    if value.level == Level.NOT and value.code.startswith("not "):
        return Value(value.code[4:], BOOL, Level.COMPARE)
    if value.level == Level.COMPARE and value.code.count(" == ") == 1 and " != " not in value.code:
        return Value(value.code.replace(" == ", " != "), BOOL, Level.COMPARE)
    return Value(f"not {value.at(Level.NOT)}", BOOL, Level.NOT)


def _and(given: Sequence[Value], _loop: int | None) -> Value:
    return _chain(given, "and", stops_at=False, level=Level.AND)


def _or(given: Sequence[Value], _loop: int | None) -> Value:
    return _chain(given, "or", stops_at=True, level=Level.OR)


def _chain(given: Sequence[Value], word: str, *, stops_at: bool, level: int) -> Value:
    """Join operands; those whose truth is known fall out or end it."""
    kept: list[Value] = []
    for position, value in enumerate(given):
        if value.truth is (not stops_at) and position < len(given) - 1:
            continue
        kept.append(value)
        if value.truth is stops_at:
            break
    is_last_idle = kept[-1].truth is (not stops_at) and (
        kept[-1].kind == NIL or all(value.kind == BOOL for value in kept)
    )
    if len(kept) > 1 and is_last_idle:
        kept.pop()
    if len(kept) == 1:
        return kept[0]
    if kept[-1].truth is stops_at and kept[-1].kind == BOOL:
        return values.truth(stops_at)
    kinds = {value.kind for value in kept}
    return Value(
        f" {word} ".join(value.at(level + 1) for value in kept), kinds.pop() if len(kinds) == 1 else MIXED, level
    )


def _not(given: Sequence[Value], _loop: int | None) -> Value:
    return negated(given[0])


def _eq(given: Sequence[Value], loop: int | None) -> Value:
    first, *others = given
    found = [_equal(first, other, loop) for other in others]
    if len(found) > 1 and all(value.level == Level.COMPARE and first.known is None for value in found):
        options = ", ".join(other.code for other in others)
        return Value(f"{first.at(Level.SUM)} in [{options}]", BOOL, Level.COMPARE)
    return _or(found, loop)


def _ne(given: Sequence[Value], loop: int | None) -> Value:
    return negated(_equal(given[0], given[1], loop))


def _equal(one: Value, other: Value, loop: int | None) -> Value:
    if one.kind not in _SIMPLE or other.kind not in _SIMPLE:
        raise ConversionError(f"a {one.kind} cannot be compared with a {other.kind}")
    if one.known is not None and other.known is not None:
        return values.truth(one.known == other.known)
    if NIL in {one.kind, other.kind}:
        return values.truth(False)
    for length, count in ((one, other), (other, one)):
        if loop is not None and length.place == ("rest", loop) and count.known == Known(1):
            return Value("loop.last", BOOL)
    return Value(f"{one.at(Level.SUM)} == {other.at(Level.SUM)}", BOOL, Level.COMPARE)


def _compared(sign: str, one: Value, other: Value, _loop: int | None) -> Value:
    if {one.kind, other.kind} - {TEXT, INT}:
        raise ConversionError(f"a {one.kind} cannot be compared with a {other.kind}")
    return Value(f"{one.at(Level.SUM)} {sign} {other.at(Level.SUM)}", BOOL, Level.COMPARE)


def _len(given: Sequence[Value], loop: int | None) -> Value:
    value = given[0]
    if value.kind not in ELEMENTS and value.kind != TEXT:
        raise ConversionError(f"the length of a {value.kind} cannot be taken")
    if value.length:
        return Value(value.length, INT, Level.SUM)
    if loop is not None and value.place == ("tail", loop):
        return Value("loop.revindex", INT, place=("rest", loop))
    return Value(f"{value.at(Level.FILTER)} | length", INT, Level.FILTER)


def _slice(given: Sequence[Value], _loop: int | None) -> Value:
    value, *bounds = given
    if len(bounds) > 2 or (value.kind not in ELEMENTS and value.kind != TEXT) or value.kind in values.MAPS:
        raise ConversionError(f"a {value.kind} cannot be sliced in Jinja as Go does")
    if not bounds:
        return value
    start, end = (*(bound.code for bound in bounds), "")[:2]
    place = bounds[0].place if len(bounds) == 1 else None
    tail = ("tail", place[1]) if place and place[0] == "index" else None
    return Value(f"{value.at(Level.ATOM)}[{start}:{end}]", value.kind, place=tail)


def _index(given: Sequence[Value], _loop: int | None) -> Value:
    value = given[0]
    if len(given) != 2 or value.kind not in ELEMENTS or value.kind == INT:
        raise ConversionError(f"a {value.kind} cannot be indexed in Jinja as Go does")
    return Value(f"{value.at(Level.ATOM)}[{given[1].code}]", ELEMENTS[value.kind])


def _print(given: Sequence[Value], _loop: int | None) -> Value:
    parts: list[str] = []
    for before, value in zip((None, *given), given, strict=False):
        if before is not None and TEXT not in {before.kind, value.kind}:
            parts.append("' '")
        parts.append(_formatted(value))
    return _sum(parts)


def _printf(given: Sequence[Value], _loop: int | None) -> Value:
    form, *rest = given
    if form.known is None or not isinstance(form.known.value, str):
        raise ConversionError("printf with a format that is not written down cannot be converted")
    if (
        (padded := _PADDED.fullmatch(form.known.value))
        and [value.kind for value in rest] == [INT, TEXT]
        and rest[1].known == Known("")
    ):
        # how templates count: a text that is longer by one
        before, count = padded[1], rest[0]
        return Value(
            f"{values.text(before).code} + ' ' * {count.at(Level.ATOM)}",
            TEXT,
            Level.SUM,
            length=f"{count.at(Level.SUM)} + {len(before)}",
        )
    parts: list[str] = []
    position = 0
    waiting = list(rest)
    for verb in _VERB.finditer(form.known.value):
        parts.append(values.text(form.known.value[position : verb.start()]).code)
        position = verb.end()
        if verb[1] == "%":
            parts.append("'%'")
        elif waiting and waiting[0].kind in _VERBS.get(verb[1], ()):
            parts.append(_formatted(waiting.pop(0)))
        else:
            raise ConversionError(
                f'printf with "{verb[0]}" cannot be converted', hint="use %s and %d, or print the parts"
            )
    if waiting:
        raise ConversionError("printf with more values than verbs cannot be converted")
    return _sum([*parts, values.text(form.known.value[position:]).code])


def _formatted(value: Value) -> str:
    """Return code for a value that print and printf write: what is not there is nil to them."""
    if value.kind == values.ANY:
        return f"value_text({value.code})"
    return "'<nil>'" if value.kind == NIL else values.printed(value)


def _sum(parts: Sequence[str]) -> Value:
    kept = [part for part in parts if part != "''"] or ["''"]
    return Value(" + ".join(kept), TEXT, Level.SUM if len(kept) > 1 else Level.ATOM)


def _json(given: Sequence[Value], _loop: int | None) -> Value:
    return values.as_json(given[0])


def _date(_given: Sequence[Value], _loop: int | None) -> Value:
    return Value("strftime_now('%Y-%m-%d')", TEXT)


_FUNCTIONS: dict[str, Callable[[Sequence[Value], int | None], Value]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "eq": _eq,
    "ne": _ne,
    "len": _len,
    "slice": _slice,
    "index": _index,
    "print": _print,
    "printf": _printf,
    "json": _json,
    "currentDate": _date,
}
