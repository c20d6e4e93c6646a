"""How much rendering one command may do: one allowance for all its templates, Go and Jinja together.

Each rendering has bounds of its own; a command that renders a hostile template a hundred times would still keep the machine
for minutes. A command therefore works within :func:`allow`; without it (a library, a server of an editor) only the bounds of
each rendering count. Time is the processor's: a busy machine refuses nothing that an idle one renders.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import RenderingLimitReached

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0
SIZE = 200_000_000


@dataclass(slots=True)
class Allowance:
    """What is left: ``seconds`` of rendering, and ``size``, the characters that may still be made."""

    seconds: float = SECONDS
    size: int = SIZE

    def check(self) -> None:
        """Raise RenderingLimitReached where nothing is left."""
        if self.seconds <= 0:
            raise RenderingLimitReached(
                f"the templates need more than {SECONDS:g} seconds of rendering", hint=_hint("the time")
            )
        if self.size <= 0:
            raise RenderingLimitReached(
                f"the templates make more than {SIZE // 1_000_000} MB of text", hint=_hint("the text")
            )


def _hint(what: str) -> str:
    return f"{what} of all renderings of one command together is bounded; look for loops within loops in the TEMPLATE"


_LEFT: ContextVar[Allowance | None] = ContextVar("rendering_allowance", default=None)


@contextmanager
def allow(allowance: Allowance | None = None) -> Iterator[Allowance]:
    """Let what runs within it share one allowance; an outer one is put aside and comes back."""
    given = Allowance() if allowance is None else allowance
    token = _LEFT.set(given)
    try:
        yield given
    finally:
        _LEFT.reset(token)


@contextmanager
def unbounded() -> Iterator[None]:
    """Let what runs within it render without a shared allowance: a server's requests are not one command."""
    token = _LEFT.set(None)
    try:
        yield
    finally:
        _LEFT.reset(token)


class Use:
    """One rendering; raises RenderingLimitReached where it begins with nothing left. Charge it when it ends, however it ends."""

    __slots__ = ("_began", "_left")

    def __init__(self) -> None:
        self._left = _LEFT.get()
        self._began = 0.0
        if self._left is not None:
            self._left.check()
            self._began = time.thread_time()

    @property
    def seconds(self) -> float | None:
        """How long it may run; None for no bound but its own."""
        return None if self._left is None else self._left.seconds

    def charge(self, size: int) -> None:
        """Count what the rendering took: the time since it began or was charged last, and ``size`` characters."""
        if self._left is not None:
            now = time.thread_time()
            self._left.seconds -= now - self._began
            self._left.size -= size
            self._began = now
