"""How much a chat template may use while it is rendered.

A template is a stranger's program. jinja2's sandbox keeps it from reaching out; these limits keep it from filling the
memory or never coming back: a soft deadline, a measure of every text and list it builds (lists with all they hold, as
often as they hold it), and their sum.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

from modelsmith.patterns import regex

_WIDE_PERCENT = regex(r"%[^a-zA-Z%]*(?:\*|\d{5})")
_WIDE_BRACES = regex(r"\{[^{}]*(?:\{|\d{5})")
_FILLING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})
_BITS = 4_096
_TOTAL = 16
_CHECKS = 63


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may use: seconds, and the size of anything it builds (characters of texts, items of lists).

    All it builds together may be sixteen times that.
    """

    seconds: float = 5.0
    size: int = 4_000_000


class LimitReached(Exception):
    """A rendering wanted more than its limits allow; the text says what."""


@dataclass(slots=True)
class Budget:
    """What one rendering may still use; ``look`` is called now and then, and may end it by an error."""

    limits: Limits
    look: Callable[[], None] | None = None
    deadline: float = field(init=False)
    left: int = field(init=False)
    _checks: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.deadline = time.process_time() + self.limits.seconds
        self.left = self.limits.size * _TOTAL

    def check_time(self) -> None:
        """Raise LimitReached when the time is up."""
        self._checks += 1
        if self._checks & _CHECKS:
            return
        if self.look is not None:
            self.look()
        if time.process_time() > self.deadline:
            raise LimitReached(f"it ran for more than {self.limits.seconds:g} seconds")

    def spend(self, size: int) -> None:
        """Raise LimitReached when something of this size is too large, or too much after all that was built before."""
        if size > self.limits.size:
            raise LimitReached(f"it built a text or list of more than {self.limits.size:,} characters or items")
        self.left -= size
        if self.left < 0:
            raise LimitReached("it built too many large texts or lists")


BUDGET: ContextVar[Budget] = ContextVar("jinja_budget")


def weight(value: object) -> int:
    """Return how much a value holds: the characters of a text, all that is in a list or mapping, else 1."""
    return _weight(value, {})


def _weight(value: object, known: dict[int, int]) -> int:
    if isinstance(value, str):
        return len(value) + 1
    if not isinstance(value, (list, tuple, dict)):
        return 1
    found = known.get(id(value))
    if found is None:
        items = (*value, *value.values()) if isinstance(value, dict) else value
        found = known[id(value)] = 1 + sum([_weight(item, known) for item in items])
    return found


def check_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    """Look at a call of a method of ``text`` before it is made."""
    size = len(text)
    if name in _FILLING and args and isinstance(args[0], int):
        size += args[0] * (text.count("\t") if name == "expandtabs" else 1)
    elif name == "replace" and len(args) > 1 and isinstance(args[0], str) and isinstance(args[1], str):
        size += text.count(args[0]) * len(args[1])
    elif name == "join" and args and isinstance(args[0], (list, tuple, dict)):
        size = weight(args[0]) + len(args[0]) * size
    BUDGET.get().spend(size)


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Look at ``left operator right`` before it is computed."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
        if operator != "%" and bits > _BITS:
            raise LimitReached("it computes a number of thousands of digits")
    elif operator == "%":
        if isinstance(left, str):
            check_percent(left)
            BUDGET.get().spend(len(left) + weight(right))
    elif operator == "*":
        times, what = (left, right) if isinstance(left, int) else (right, left)
        if isinstance(times, int) and isinstance(what, (str, list, tuple)):
            BUDGET.get().spend(max(times, 0) * weight(what))
    elif operator == "+" and isinstance(left, (str, list, tuple)):
        BUDGET.get().spend(weight(left) + weight(right))


def check_percent(text: str) -> None:
    """Look at a text before it formats something with ``%``."""
    if _WIDE_PERCENT.search(text):
        raise LimitReached("it formats a text to an unbounded width")


def check_braces(text: str) -> None:
    """Look at a text before it formats something with ``{}``."""
    if _WIDE_BRACES.search(text.replace("{{", "").replace("}}", "")):
        raise LimitReached("it formats a text to an unbounded width")
