"""Operations on texts that are known only when a Go template runs: looked through byte by byte, with ``slice``.

``range`` over a number needs Go 1.24, which Ollama has since 0.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Loop, Out, Truth, operand, quoted
from modelsmith.template.convert.translate.values.printed import printed
from modelsmith.template.convert.translate.values.remembering import found_in
from modelsmith.template.convert.translate.values.values import Built, Go, Known, Pick, Value, cannot, choices, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.values import Seen

SPACE = " \t\n\r\v\f"


def contains(state: State, owner: Value, text: str) -> Truth:
    """Return the condition under which a text contains another."""
    if not text:
        return True
    whole, found = _named(state, owner), state.fresh("found")
    body = (
        Do("$rest := slice " + operand(whole) + " $at"),
        Cond(_begins("$rest", text), (Do(f"{found} = true"), Do("break"))),
    )
    state.emit(Do(f"{found} = false"), Loop(f"$at := len {operand(whole)}", "", body))
    return found


def contains_text(state: State, owner: Value, item: Value) -> Truth:
    """Return the condition under which a text contains another one that is not known either."""
    whole, part, found = _named(state, owner), operand(_named(state, item)), state.fresh("found")
    begins_here = f"and (ge (len $rest) (len {part})) (eq (slice $rest 0 (len {part})) {part})"
    body = (
        Do(f"$rest := slice {operand(whole)} $at"),
        Cond(begins_here, (Do(f"{found} = true"), Do("break"))),
    )
    state.emit(Do(f"{found} = not {part}"), Loop(f"$at := len {operand(whole)}", "", body))
    return found


def is_among(state: State, item: Value, owner: Seen) -> Truth:
    """Return the condition under which a text is in a list."""
    whole, found = operand(_named(state, Built(owner.code))), state.fresh("found")
    state.emit(*found_in(whole, state.text(item), state.fresh("start"), state.fresh("part"), found))
    return found


def _begins(expression: str, text: str) -> str:
    size = len(text.encode())
    start = operand(expression)
    return f"and (ge (len {start}) {size}) (eq (slice {start} 0 {size}) {quoted(text)})"


def begins(state: State, owner: Value, text: str) -> Truth:
    """Return the condition under which a text begins with another."""
    return _begins(_named(state, owner), text) if text else True


def ends(state: State, owner: Value, text: str) -> Truth:
    """Return the condition under which a text ends with another."""
    if not text:
        return True
    size = len(text.encode())
    whole = operand(_named(state, owner))
    return f"and (ge (len {whole}) {size}) (eq (slice {whole} (len (slice {whole} {size}))) {quoted(text)})"


def _named(state: State, value: Value) -> str:
    """Return the expression of a text that may be looked at many times."""
    text = state.text(value)
    if " " not in text or text.startswith('"'):
        return text
    name = state.fresh("text")
    state.emit(Do(f"{name} = {text}"))
    return name


def stripped(state: State, value: Value, chars: str, *, left: bool, right: bool) -> Value:
    """Return a text without these characters at its ends."""
    if not chars.isascii() or not chars:
        raise cannot("taking such characters away")
    whole = _named(state, value)
    listed = " ".join(quoted(char) for char in chars)
    if left:
        name = state.fresh("text")
        body = (
            Do(f"$char := slice (slice {operand(whole)} $at) 0 1"),
            Cond(f"not (eq $char {listed})", (Do(f"{name} = slice {operand(whole)} $at"), Do("break"))),
        )
        state.emit(Do(f'{name} = ""'), Loop(f"$at := len {operand(whole)}", "", body))
        whole = name
    if right:
        name = state.fresh("text")
        body = (
            Do(f"$start := slice {operand(whole)} 0 (len (slice {operand(whole)} $at))"),
            Cond(f"not (eq (slice $start (len (slice $start 1))) {listed})", (Do(f"{name} = $start"), Do("break"))),
        )
        state.emit(Do(f'{name} = ""'), Loop(f"$at := len {operand(whole)}", "", body))
        whole = name
    return Go(whole, "text")


def parts(state: State, value: Value, separator: str, *, which: int) -> Value:
    """Return the first part (0), the second (1) or the last (-1) of a text that is split."""
    whole = _named(state, value)
    name, size = state.fresh("part"), len(separator.encode())
    begins_here = _begins("$rest", separator)
    rest = Do(f"$rest := slice {operand(whole)} $at")
    head = f"$at := len {operand(whole)}"
    if which == 0:
        body = (rest, Cond(begins_here, (Do(f"{name} = slice {operand(whole)} 0 $at"), Do("break"))))
        state.emit(Do(f"{name} = {whole}"), Loop(head, "", body))
        return Go(name, "text")
    if which == -1:
        body = (rest, Cond(begins_here, (Do(f"{name} = slice $rest {size}"),)))
        state.emit(Do(f"{name} = {whole}"), Loop(head, "", body))
        return Go(name, "text")
    if which == 1:
        body = (rest, Cond(begins_here, (Do(f"{name} = slice $rest {size}"), Do("break"))))
        state.emit(Do(f'{name} = ""'), Loop(head, "", body))
        return parts(state, Go(name, "text"), separator, which=0)
    raise cannot("this part of a text that is split")


def around(state: State, value: Value, separator: str, *, after: bool) -> Value:
    """Return what stands after the first separator, or before the last one."""
    whole, name, size = _named(state, value), state.fresh("part"), len(separator.encode())
    rest = Do(f"$rest := slice {operand(whole)} $at")
    take = (
        (Do(f"{name} = slice $rest {size}"), Do("break")) if after else (Do(f"{name} = slice {operand(whole)} 0 $at"),)
    )
    body = (rest, Cond(_begins("$rest", separator), take))
    state.emit(Do(f'{name} = ""'), Loop(f"$at := len {operand(whole)}", "", body))
    return Go(name, "text")


def occurrences(state: State, value: Value, separator: str) -> Value:
    """Return how many parts a text has when it is split."""
    whole, count = _named(state, value), state.fresh("count")
    body = (
        Do(f"$rest := slice {operand(whole)} $at"),
        Cond(_begins("$rest", separator), (Do(f"{count} = {number(Go(count, 'int', 1))}"),)),
    )
    state.emit(Do(f"{count} = 1"), Loop(f"$at := len {operand(whole)}", "", body))
    return Go(count, "int")


def replaced(state: State, value: Value, old: str, new: Value) -> Value:
    """Return a text with another in place of one."""
    if not old:
        raise cannot("replacing nothing")
    whole, beyond, size = _named(state, value), state.fresh("beyond"), len(old.encode())
    char = Out(f"slice (slice {operand(whole)} $at) 0 1")
    found = (Do(f"{beyond} = {number(Go('$at', 'int', size))}"), *printed(new))
    body = (
        Cond(
            f"ge $at {beyond}",
            (Cond(_begins(f"slice {operand(whole)} $at", old), found, (char,)),),
        ),
    )
    return Built((Do(f"{beyond} = 0"), Loop(f"$at := len {operand(whole)}", "", body)))


def changed(state: State, value: Value, change: Callable[[str], str]) -> Value:
    """Return a text whose values are all known, each changed."""
    if isinstance(value, Known):
        return Known(change(value.value))
    if isinstance(value, Go) and value.kind in {"role", "type"}:
        return _each(choices(value), change)
    if change not in (str.upper, str.lower):
        raise cannot("other letters for a text that is not known")
    whole, name = _named(state, value), state.fresh("text")
    letters = "".join(change(chr(code)) for code in range(128))
    char = operand(f"index {operand(whole)} $at")
    body = (
        Cond(
            f"lt {char} 128",
            (Do(f"{name} = print {name} (slice (slice {quoted(letters)} {char}) 0 1)"),),
            (Do(f"{name} = print {name} (slice (slice {operand(whole)} $at) 0 1)"),),
        ),
    )
    state.emit(Do(f'{name} = ""'), Loop(f"$at := len {operand(whole)}", "", body))
    return Go(name, "text")


def _each(value: Value, change: Callable[[str], str]) -> Value:
    if isinstance(value, Pick):
        return Pick(value.test, _each(value.yes, change), _each(value.no, change))
    return Known(change(value.value)) if isinstance(value, Known) else value
