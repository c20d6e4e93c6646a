"""How much rendering one command may do: one allowance for all its templates, Go and Jinja together.

Each rendering has bounds of its own; a command that renders a hostile template a hundred times would still keep the machine
for minutes. A command therefore works within :func:`allow`; without it (a library, a server of an editor) only the bounds of
each rendering count. Time is the processor's: a busy machine refuses nothing that an idle one renders. Memory is what the
renderings make: their texts, or what the process really grew by meanwhile, where that is more.

A user who needs more says so in the environment: ``MODELSMITH_RENDER_SECONDS``, ``MODELSMITH_RENDER_MB``.
"""

from __future__ import annotations

import math
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.errors import RenderingLimitReached, UsageError
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 10.0
MEMORY = 200_000_000
SECONDS_VARIABLE = "MODELSMITH_RENDER_SECONDS"
MEMORY_VARIABLE = "MODELSMITH_RENDER_MB"

_MB = 1_000_000
_TAGS_A_SECOND = 300  # real templates have up to some 150 altogether, converted ones up to a thousand
_CODE_A_SECOND = 6000  # real templates are up to 20,000 characters long altogether
_OPENING = regex(r"\{[{%]")
_PLAINLY = 4  # renderings of one template differ in length, but seldom by so much on the average
_BETWEEN = 0.02  # seconds of work between two looks at the memory: a look may take some 40 microseconds


@dataclass(slots=True)
class Allowance:
    """What is left: ``seconds`` of rendering, and ``memory``, the bytes that renderings may still take."""

    seconds: float = SECONDS
    memory: int = MEMORY
    whole: tuple[float, int] = field(init=False)
    coming: int = 0
    """How many renderings the command is known to make yet, see :func:`foresee`."""
    last: float = 0.0
    """Seconds that the newest of those took."""
    weighed: tuple[float, int] = (-math.inf, 0)
    """When the memory of the process was looked at last, in seconds of its work, and how much it was."""

    def __post_init__(self) -> None:
        self.whole = self.seconds, self.memory

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Allowance:
        """Return what the environment allows; raises UsageError where it names no number."""
        seconds, megabytes = _number(environment, SECONDS_VARIABLE), _number(environment, MEMORY_VARIABLE)
        return cls(SECONDS if seconds is None else seconds, MEMORY if megabytes is None else round(megabytes * _MB))

    def check(self) -> None:
        """Raise RenderingLimitReached where nothing is left, or what is left is plainly not enough for what comes."""
        if self.seconds <= 0:
            raise self.refusal_of_time()
        if self.coming * self.last > _PLAINLY * self.seconds:
            message = (
                f"the templates would need more than {self.whole[0]:g} seconds of rendering: one chat took "
                f"{self.last:.1f} seconds, and {self.coming} more come"
            )
            raise RenderingLimitReached(message, hint=_hint("time", f"{SECONDS_VARIABLE}=60"))
        if self.memory <= 0:
            raise self.refusal_of_memory()

    def refusal_of_time(self) -> RenderingLimitReached:
        """Return the error of templates that take too long."""
        message = f"the templates need more than {self.whole[0]:g} seconds of rendering"
        return RenderingLimitReached(message, hint=_hint("time", f"{SECONDS_VARIABLE}=60"))

    def refusal_of_memory(self) -> RenderingLimitReached:
        """Return the error of templates that fill the memory."""
        message = f"the templates make more than {self.whole[1] / _MB:g} MB of text and values"
        return RenderingLimitReached(message, hint=_hint("memory", f"{MEMORY_VARIABLE}=1000"))


def check_tags(text: str) -> None:
    """Raise RenderingLimitReached for a template that has more code than a command can run in its time.

    Most commands render a template for tens of chats: one with many thousands of tags, or very long ones, is told at once.
    """
    left = _LEFT.get()
    if left is None:
        return
    seconds = left.whole[0]
    found, most, unit = text.count("{{") + text.count("{%"), round(seconds * _TAGS_A_SECOND), "tags ({{ or {%)"
    if found <= most:
        found, most, unit = _in_tags(text), round(seconds * _CODE_A_SECOND), "characters in its tags"
    if found > most:
        message = f"the template has {found:,} {unit}, and {most:,} can be rendered in {seconds:g} seconds"
        raise RenderingLimitReached(message, hint=f"is it a template? set {SECONDS_VARIABLE}=60 to allow more")


def _in_tags(text: str) -> int:
    """Return how many characters are code: from {{ to }}, from {% to %}."""
    count = place = 0
    while opening := _OPENING.search(text, place):
        place = text.find("}}" if opening[0] == "{{" else "%}", opening.end())
        if place < 0:
            return count + len(text) - opening.start()
        count += place - opening.start()
    return count


def _hint(what: str, way: str) -> str:
    return (
        f"the {what} of all renderings of one command together is bounded; look for loops within loops in the TEMPLATE, "
        f"or set {way} to allow more"
    )


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(f'{name} is "{text[:80]}", and not a number above 0', hint=f"set a number, or unset {name}")
    return number


_LEFT: ContextVar[Allowance | None] = ContextVar("rendering_allowance", default=None)


@contextmanager
def allow(allowance: Allowance | None = None) -> Iterator[Allowance]:
    """Let what runs within it share one allowance; an outer one is put aside and comes back."""
    given = Allowance.of(os.environ) if allowance is None else allowance
    token = _LEFT.set(given)
    try:
        yield given
    finally:
        _LEFT.reset(token)


@contextmanager
def foresee(renderings: int) -> Iterator[None]:
    """Say how many renderings come within it at least: where one of them shows that they take far more than is left, the next is refused.

    So a template that is too large is refused after a rendering or two, and not when the whole allowance is used up.
    """
    left = _LEFT.get()
    if left is None:
        yield
        return
    left.coming, left.last = renderings, 0.0
    try:
        yield
    finally:
        left.coming = 0


@contextmanager
def unbounded() -> Iterator[None]:
    """Let what runs within it render without a shared allowance: a server's requests are not one command."""
    token = _LEFT.set(None)
    try:
        yield
    finally:
        _LEFT.reset(token)


class Use:
    """One rendering; raises RenderingLimitReached where it begins with nothing left.

    The engine looks every few thousand steps, and charges it when it ends, however it ends.
    """

    __slots__ = ("_before", "_began", "_grown", "_left")

    def __init__(self) -> None:
        self._left = _LEFT.get()
        self._began = 0.0
        self._before = self._grown = 0
        if self._left is not None:
            self._left.check()
            self._began = time.process_time()
            self._before = self._weight(self._left, self._began)

    def look(self) -> None:
        """Raise RenderingLimitReached where the rendering has taken what its command had left."""
        left = self._left
        if left is None:
            return
        now = time.process_time()
        if now - self._began > left.seconds:
            raise left.refusal_of_time()
        self._grown = max(self._grown, self._weight(left, now) - self._before)
        if self._grown > left.memory:
            raise left.refusal_of_memory()

    @staticmethod
    def _weight(left: Allowance, now: float) -> int:
        """Return the memory of the process, looked at now or a moment ago: most renderings are shorter than that."""
        when, weight = left.weighed
        if now - when > _BETWEEN:
            weight = _memory()
            left.weighed = now, weight
        return weight

    def charge(self, size: int) -> None:
        """Count what the rendering took: the time since it began or was charged last, and ``size`` bytes of text."""
        if self._left is not None:
            now = time.process_time()
            self._left.seconds -= now - self._began
            if self._left.coming:
                self._left.coming, self._left.last = self._left.coming - 1, now - self._began
            self._left.memory -= max(size, self._grown)
            self._began, self._grown = now, 0


def _memory() -> int:
    """Return how many bytes of memory the process has that are no part of a file; 0 where the system does not say."""
    try:
        descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return 0  # not Linux: the texts alone count
    try:
        fields = os.read(descriptor, 200).split()
    finally:
        os.close(descriptor)
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
