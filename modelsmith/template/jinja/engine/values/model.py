"""The values of a chat template, as llama.cpp keeps them.

Numbers, True, False and None are Python's; a text is a ``str`` of bytes (see ``texts``); an array is a ``list``, a tuple a ``tuple``, an
object a ``dict``. What Python has no counterpart for stands here.

Source: llama.cpp, common/jinja/value.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.jinja.engine.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable


Value = Any
"""A value of a template; mypy cannot say more of it."""

_LARGEST = 2**63
_EXACT = 2**53


class Undefined:
    """What is not there; ``hint`` says where it was looked for."""

    __slots__ = ("hint",)

    def __init__(self, hint: str = "") -> None:
        self.hint = hint

    def __bool__(self) -> bool:
        return False


class Bare(dict[Value, Value]):
    """An object without methods: ``loop``."""

    __slots__ = ()


class Function:
    """Something that can be called; ``subject`` is the value that it was looked up in, ``UNBOUND`` where there is none."""

    __slots__ = ("body", "name", "subject")

    def __init__(self, name: str, body: Callable[[Any], Value], subject: Value) -> None:
        self.name = name
        self.body = body
        self.subject = subject

    def __bool__(self) -> bool:
        raise Failure("Function is not a bool value")


class Named:
    """An argument given by its name."""

    __slots__ = ("key", "value")

    def __init__(self, key: str, value: Value) -> None:
        self.key = key
        self.value = value

    def __bool__(self) -> bool:
        raise Failure("KwArg is not a bool value")


class Parts(str):
    """A text that was put together; llama.cpp capitalizes each of its parts."""

    __slots__ = ("parts",)

    parts: tuple[str, ...]

    @classmethod
    def of(cls, *texts: str) -> Parts:
        """Join texts, their own parts kept."""
        joined = cls("".join(texts))
        joined.parts = tuple(part for text in texts for part in parts_of(text))
        return joined


class Watched:
    """A value that notices what a template does with it: that it was used, and by which operations."""

    used = False
    operations: frozenset[str] = frozenset()

    def note(self, operation: str) -> None:
        """Remember that the value was used by an operation."""
        self.used = True
        self.operations = self.operations | {operation}


class WatchedText(str, Watched):
    """A text that notices its use."""


class WatchedArray(list[Value], Watched):
    """An array that notices its use."""


class WatchedObject(dict[Value, Value], Watched):
    """An object that notices its use."""


def noticing(value: Value) -> Value:
    """Return a text, an array or an object that was just made as one that notices its use."""
    kind = _WATCHED.get(type(value))
    return kind(value) if kind else value


_WATCHED: dict[type, Callable[[Value], Value]] = {str: WatchedText, list: WatchedArray, dict: WatchedObject}

UNBOUND = object()
"""The subject of a function that belongs to no value."""

UNDEFINED = Undefined()


def parts_of(text: str) -> tuple[str, ...]:
    """Return the texts that a text was put together from."""
    return text.parts if isinstance(text, Parts) else (text,)


def type_name(value: Value) -> str:
    """Return llama.cpp's name of a value's type."""
    if isinstance(value, Undefined):
        return f"Undefined (hint: '{value.hint}')" if value.hint else "Undefined"
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    return "None"


_NAMES: tuple[tuple[type, str], ...] = (
    (str, "String"),
    (bool, "Boolean"),
    (int, "Integer"),
    (float, "Float"),
    (tuple, "Tuple"),
    (list, "Array"),
    (dict, "Object"),
    (Function, "Function"),
    (Named, "KwArg"),
)


def is_number(value: Value) -> bool:
    """Say whether a value is an integer or a float (a boolean is neither)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value: Value) -> bool:
    """Say whether a value is an integer (a boolean is none)."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_float(value: float) -> float:
    """Return a number as llama.cpp calculates with it; an integer that no double holds is infinite."""
    number = float(value)
    if isinstance(value, int) and not -_EXACT <= value <= _EXACT and (number >= _LARGEST or int(number) != value):
        return float("-inf") if value < 0 else float("inf")
    return number


def as_integer(number: float) -> int:
    """Return a double as the integer that a cast of it gives on the machines that run llama.cpp."""
    return int(number) if -_LARGEST <= number < _LARGEST else -_LARGEST
