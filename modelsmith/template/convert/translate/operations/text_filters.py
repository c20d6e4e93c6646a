"""Filters and methods of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import (
    Lit,
    Raw,
    Truth,
    Use,
    joined,
    operand,
)
from modelsmith.template.convert.translate.operations.texts import (
    SPACE,
    changed,
    replaced,
    stripped,
)
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Built,
    Go,
    Known,
    Value,
    boolean,
    cannot,
    is_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.state import State


def case(change: Callable[[str], str]) -> Callable[..., Value]:
    """Return the filter that changes a text letter by letter."""

    def apply(state: State, value: Value, _arguments: list[Value], _named: dict[str, Value]) -> Value:
        return changed(state, value, change)

    return apply


def strip(*, left: bool, right: bool) -> Callable[..., Value]:
    """Return the filter that takes characters away at the ends of a text."""

    def apply(state: State, value: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
        given = arguments[0] if arguments else named.get("chars")
        if given is not None and not (isinstance(given, Known) and isinstance(given.value, str)):
            raise cannot("taking unknown characters away")
        chars = given.value if isinstance(given, Known) else SPACE
        if isinstance(value, Known) and isinstance(value.value, str):
            text = value.value
            text = text.lstrip(chars) if left else text
            return Known(text.rstrip(chars) if right else text)
        if value == MISSING:
            return MISSING  # it fails where it runs
        if not is_text(value):
            raise cannot("taking white space away from this")
        if isinstance(value, Built):
            value = _stripped_text(value, chars, left=left, right=right)
            if _begins_and_ends_with_marks(value, left=left, right=right):
                return value
        if isinstance(value, Go) and value.kind in {"role", "type"}:
            return value
        return stripped(state, value, chars, left=left, right=right)

    return apply


def _stripped_text(value: Built, chars: str, *, left: bool, right: bool) -> Built:
    """Return a text without these characters at its ends, as far as what stands there is known."""
    code = list(joined(value.code))
    if code and left and isinstance(code[0], Lit):
        code[0] = Lit(code[0].text.lstrip(chars))
    if code and right and isinstance(code[-1], Lit):
        code[-1] = Lit(code[-1].text.rstrip(chars))
    return Built(tuple(code))


def _begins_and_ends_with_marks(value: Built, *, left: bool, right: bool) -> bool:
    """Say whether a text is known to have no white space at its ends; JSON has none."""
    ends = [value.code[0] if value.code else None] * left + [value.code[-1] if value.code else None] * right
    return all(isinstance(end, (Raw, Use)) or (isinstance(end, Lit) and bool(end.text)) for end in ends)


def ended(test: Callable[[State, Value, str], Truth], known: Callable[[str, str], bool]) -> Callable[..., Value]:
    """Return the method that says how a text begins or ends."""

    def apply(state: State, value: Value, arguments: list[Value], _named: dict[str, Value]) -> Value:
        text = arguments[0] if arguments else MISSING
        if not isinstance(text, Known) or not isinstance(text.value, str):
            raise cannot("how a text begins or ends")
        if isinstance(value, Known) and isinstance(value.value, str):
            return Known(known(value.value, text.value))
        if isinstance(value, Go) and value.kind == "json":
            return boolean(test(state, Go(f'printf "%v" {operand(value.expression)}', "text"), text.value))
        return boolean(test(state, value, text.value))

    return apply


def replace_text(state: State, value: Value, arguments: list[Value], _named: dict[str, Value]) -> Value:
    """Put another text in place of each that is found."""
    if len(arguments) != 2 or not isinstance(arguments[0], Known) or not is_text(arguments[0]) or not is_text(value):
        raise cannot("replacing this")
    old, new = arguments[0].value, state.simple(arguments[1])
    if isinstance(value, Known) and isinstance(new, Known):
        return Known(value.value.replace(old, new.value))
    return replaced(state, value, old, new)
