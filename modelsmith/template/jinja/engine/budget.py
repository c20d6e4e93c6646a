"""How much a chat template may use while it runs.

A template is a stranger's program. It can reach nothing but its values; these limits keep it from filling the memory or never
coming back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.failures import LimitReached

if TYPE_CHECKING:
    from datetime import datetime

_ROUNDS = 63


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may use.

    ``steps`` are rounds of loops and calls of macros, ``size`` the bytes and items that it builds together, ``largest`` those of one
    text or list, ``depth`` calls of macros within each other, ``seconds`` the time (looked at now and then).
    """

    steps: int = 2_000_000
    size: int = 200_000_000
    largest: int = 20_000_000
    depth: int = 40
    seconds: float = 10.0


class Run:
    """One rendering: what it may still use, and its clock; ``watching`` where values notice their use."""

    __slots__ = ("deadline", "depth", "left", "limits", "now", "steps", "watching")

    def __init__(self, limits: Limits, now: datetime, *, watching: bool = False) -> None:
        self.limits = limits
        self.now = now
        self.steps = limits.steps
        self.left = limits.size
        self.depth = 0
        self.deadline = time.monotonic() + limits.seconds
        self.watching = watching

    def hurry(self, seconds: float | None) -> None:
        """Let it end within this time, where that is less than its own: what the command may still spend."""
        if seconds is not None:
            self.deadline = min(self.deadline, time.monotonic() + seconds)

    def step(self) -> None:
        """Count a round of a loop or a call; raises LimitReached where there were too many."""
        self.steps -= 1
        if self.steps < 0:
            raise LimitReached(f"it ran for more than {self.limits.steps:,} rounds of its loops")
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")
        if not self.steps & _ROUNDS and time.monotonic() > self.deadline:
            raise LimitReached(f"it ran for more than {self.limits.seconds:g} seconds")

    def spend(self, size: int) -> None:
        """Count something of this size before it is built; raises LimitReached where that is too much."""
        if size > self.limits.largest:
            raise LimitReached(f"it builds a text or list of more than {self.limits.largest:,} bytes or items")
        self.left -= size
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")
