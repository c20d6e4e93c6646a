"""What is known of a Jinja value before a template runs: itself, or the Go expression that stands for it.

Source of the shapes: llama.cpp common/chat.cpp (messages and tools as templates get them); Ollama template/template.go (the
same as Go values).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from modelsmith.errors import ConversionError
from modelsmith.template.convert.translate.code.go_code import (
    Code,
    Cond,
    Do,
    Hole,
    Lit,
    Loop,
    Out,
    Raw,
    Truth,
    Use,
    both,
    either,
    filled,
    negated,
    operand,
    prints,
    quoted,
)
from modelsmith.template.jinja.engine.values.model import UNDEFINED, Undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.template.jinja.engine.tree import nodes

GROWN, FRESH, FAILED = "grown", "fresh", "failed"
"""Kinds of what a loop changes and what needs no variable: what it only adds to, what each round sets anew; or not, after all."""

TEXTS = frozenset({"text", "role", "type"})
"""Kinds of Go expressions that are strings; of a role and a type the values are known."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "role": ("user", "assistant", "system", "tool"),
    "type": ("string", "integer", "number", "boolean", "array", "object", "null"),
}
LISTS = frozenset({"messages", "calls", "tools", "tool functions", "call functions", "texts", "kinds", "values"})
MAPS = frozenset({"arguments", "properties", "inner properties"})


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is the same in all prompts: a text, a number, true or false, nothing."""

    value: Any


@dataclass(frozen=True, slots=True)
class Go:
    """A Go expression of a kind: one of :data:`TEXTS`, ``bool``, ``int`` (plus ``offset``), ``json`` (any value)."""

    expression: str
    kind: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """A text that is put together when it is printed."""

    code: Code


@dataclass(frozen=True, slots=True)
class Pick:
    """One value or another."""

    test: str
    yes: Value
    no: Value


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose items are known one by one, each there under a condition."""

    values: tuple[Value, ...]
    guards: tuple[Truth, ...] = ()

    def guard(self, place: int) -> Truth:
        """Return the condition under which an item is there."""
        return self.guards[place] if self.guards else True


@dataclass(frozen=True, slots=True)
class Fields:
    """An object whose members are known one by one."""

    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Cell:
    """An object or a list that the template changes; what is in it is kept beside the variables."""

    number: int
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of a chat, a Go expression of a kind such as ``message``; ``first`` says where it is the chat's first."""

    kind: str
    expression: str
    first: Truth = False
    reversed: bool = False
    tests: tuple[Any, ...] = ()
    """What an element must meet; each is a function of an element that returns a Truth."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a name, or a macro."""

    name: str
    macro: nodes.Macro | None = None


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable of a loop before it is given a value in the round: what an earlier round may have left."""

    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """Items of a list that a loop adds, one a round: the loop around code, and the item with the condition under which it is added."""

    around: Callable[[Code], Code]
    value: Value
    guard: Truth


@dataclass(frozen=True, slots=True)
class Rest:
    """What a list was before a round of a loop that adds to it."""

    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A list of texts as one text, which the code prints (``remembering``); ``complete``: none of them may be undefined."""

    code: Code
    complete: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """What a variable has that no Go template can have; that matters where it is used."""

    reason: str


Value: TypeAlias = (
    Known | Go | Built | Pick | Items | Fields | Cell | Thing | Function | Unset | Broken | Each | Rest | Seen
)

MISSING = Known(UNDEFINED)


class NeedsVariable(Exception):
    """A value outlives a round of a loop, or is of a further kind: it needs a variable of its own."""

    def __init__(self, key: tuple[Any, ...], kind: str = "") -> None:
        super().__init__(key, kind)
        self.key, self.kind = key, FAILED if key[0] == FRESH and not kind else kind


class TooMuch(Exception):
    """A template whose translation would take too long."""


class Refused(ConversionError):
    """What the Jinja template refuses too, where it gets there: no prompt comes of it, so nothing has to be said in Go."""


def cannot(what: str) -> ConversionError:
    """Return the error for something that is not translated."""
    return ConversionError(f"{what} cannot be said in a Go template")


def is_missing(value: Value) -> bool:
    """Say whether a value is known to be undefined."""
    return isinstance(value, Known) and isinstance(value.value, Undefined)


def truth(value: Value) -> Truth:
    """Return the condition under which Jinja takes a value for true."""
    match value:
        case Known(known):
            return bool(known)
        case Go(expression, "int", offset):
            return (filled(expression) or expression) if not offset else f"ne {operand(number(value))} 0"
        case Go(expression):
            return expression
        case Built(code):
            return _not_empty(code)
        case Pick(test, yes, no):
            return picked(test, truth(yes), truth(no))
        case Items(values):
            if any(isinstance(item, (Each, Rest)) for item in values):
                raise cannot("whether a list that grows has anything")
            found: Truth = False
            for place in range(len(values)):
                found = either(found, value.guard(place))
            return found
        case Fields(values):
            return bool(values)
        case Thing(kind, expression, tests=tests) if kind in LISTS | MAPS:
            if tests:
                raise cannot("whether anything is chosen from a list")
            return size_of(value) if kind == "inner properties" else expression
        case Seen(code):
            return _not_empty(code)
        case Unset(key):
            raise NeedsVariable(key)
        case Broken(reason):
            raise ConversionError(reason)
        case _:
            return True


def size_of(thing: Thing) -> str:
    """Return the expression of how many items a list or a map has."""
    if thing.kind == "inner properties":
        return f"{thing.expression.removesuffix('.All')}.Len"
    return f"len {operand(thing.expression)}"


def picked(test: str, yes: Truth, no: Truth) -> Truth:
    """Return one condition or another."""
    if yes == no:
        return yes
    if isinstance(yes, bool):
        return either(test, no) if yes else both(negated(test), no)
    if isinstance(no, bool):
        return either(negated(test), yes) if no else both(test, yes)
    return either(both(test, yes), both(negated(test), no))


def _not_empty(code: Code) -> Truth:
    found: Truth = False
    for piece in code:
        match piece:
            case Lit(text):
                found = either(found, bool(text))
            case Out(expression):
                found = either(found, expression)
            case Cond(test, yes, no):
                found = either(found, picked(test, _not_empty(yes), _not_empty(no)))
            case Do():
                pass
            case Loop(head, _, body):
                if prints(body):
                    if _not_empty(body) is not True:
                        raise cannot("whether a text that grows in a loop is empty")
                    found = either(found, head.partition(":= ")[2])
            case Raw() | Use():
                found = True
            case Hole(key):
                raise NeedsVariable(key, FAILED)
    return found


def pick(test: Truth, yes: Value, no: Value) -> Value:
    """Return one value or another."""
    if isinstance(test, bool):
        return yes if test else no
    if yes == no:
        return yes
    if isinstance(yes, Pick) and yes.test == test:
        yes = yes.yes
    if isinstance(no, Pick) and no.test == test:
        no = no.no
    return Pick(test, yes, no)


def boolean(test: Truth) -> Value:
    """Return a condition as a value."""
    return Known(test) if isinstance(test, bool) else Pick(test, Known(True), Known(False))


def number(value: Go) -> str:
    """Return the expression of a whole number: Go templates count by the lengths of texts."""
    if value.offset > 0:
        return f'len (print (printf "%*s" {operand(value.expression)} "") {quoted("x" * value.offset)})'
    if value.offset < 0:
        return f'len (slice (printf "%*s" {operand(value.expression)} "") {-value.offset})'
    return value.expression


def is_text(value: Value) -> bool:
    """Say whether a value is known to be a text."""
    match value:
        case Known(known):
            return isinstance(known, str)
        case Go(_, kind):
            return kind in TEXTS
        case Built():
            return True
        case Pick(_, yes, no):
            return is_text(yes) and is_text(no)
        case Unset(key):
            raise NeedsVariable(key)
        case _:
            return False


def is_number(value: Value) -> bool:
    """Say whether a value is known to be a whole number."""
    match value:
        case Known(known):
            return isinstance(known, int) and not isinstance(known, bool)
        case Go(_, kind):
            return kind == "int"
        case Pick(_, yes, no):
            return is_number(yes) and is_number(no)
        case Unset(key):
            raise NeedsVariable(key)
        case _:
            return False


def choices(value: Go) -> Value:
    """Return a text whose values are known as a choice between them."""
    first, *others = CHOICES[value.kind]
    found: Value = Known(first)
    for other in others:
        found = Pick(f"eq {operand(value.expression)} {quoted(other)}", Known(other), found)
    return found
