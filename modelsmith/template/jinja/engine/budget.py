"""How much a chat template may use while it runs.

A template is a stranger's program. It can reach nothing but its values; these limits keep it from filling the memory or never
coming back.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.template.jinja.engine.failures import LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable

POINTER, SMALL, MAPPING = 8, 64, 240
"""Bytes of an item of a list that is there already, of a small value with its place in a list, and of an object with few members."""

ROUNDS = 127
"""So many steps are taken between two looks at the clock."""
_LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may use.

    ``steps`` are rounds of loops and calls of macros, ``size`` the bytes of all that it builds and keeps, ``largest`` those of one
    text or list, ``depth`` calls of macros within each other, ``seconds`` the time (looked at now and then).
    """

    steps: int = 2_000_000
    size: int = 200_000_000
    largest: int = 20_000_000
    depth: int = 40
    seconds: float = 10.0


class Run:
    """One rendering: what it may still use, and its clock; ``watching`` where values notice their use.

    A clock that is not given is that of the machine, read once where the template asks for it first.
    ``look`` is called now and then, and may end the rendering by an error.
    """

    __slots__ = ("_looked", "_now", "deadline", "depth", "left", "limits", "look", "steps", "watching")

    def __init__(self, limits: Limits, now: datetime | None, *, watching: bool = False) -> None:
        self.limits = limits
        self._now = now
        self.steps = limits.steps
        self.left = limits.size
        self.depth = 0
        self.deadline = time.process_time() + limits.seconds
        self.look: Callable[[], None] | None = None
        self._looked = self.left
        self.watching = watching

    @property
    def now(self) -> datetime:
        """The time that the template sees."""
        if self._now is None:
            self._now = datetime.now().astimezone()
        return self._now

    def step(self) -> None:
        """Count a round of a loop or a call; raises LimitReached where there were too many."""
        self.steps -= 1
        self.look_around()

    def look_around(self) -> None:
        """Raise LimitReached where the steps or the bytes are used up, or now and then the time."""
        if self.steps < 0:
            raise LimitReached(f"it ran for more than {self.limits.steps:,} rounds of its loops")
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")
        if not self.steps & ROUNDS:
            self._look_up()

    def spend(self, size: int) -> None:
        """Count something of this size before it is built; raises LimitReached where that is too much."""
        if size > self.limits.largest:
            raise LimitReached(f"it builds a text or list of more than {self.limits.largest:,} bytes")
        self.left -= size
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")
        if self._looked - self.left > _LARGE:
            self._look_up()

    def _look_up(self) -> None:
        self._looked = self.left
        if self.look is not None:
            self.look()
        if time.process_time() > self.deadline:
            raise LimitReached(f"it ran for more than {self.limits.seconds:g} seconds")
