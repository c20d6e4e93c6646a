"""How much a chat template may use while it runs.

A template is a stranger's program. It can reach nothing but its values; these limits keep it from filling the memory or never
coming back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.jinja_engine.failures import LimitReached

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may use: rounds of loops and calls of macros, bytes and items that it builds, calls within each other."""

    steps: int = 2_000_000
    size: int = 200_000_000
    largest: int = 50_000_000
    depth: int = 40


class Run:
    """One rendering: what it may still use, and its clock; ``watching`` where values notice their use."""

    __slots__ = ("depth", "left", "limits", "now", "steps", "watching")

    def __init__(self, limits: Limits, now: datetime, *, watching: bool = False) -> None:
        self.limits = limits
        self.now = now
        self.steps = limits.steps
        self.left = limits.size
        self.depth = 0
        self.watching = watching

    def step(self) -> None:
        """Count a round of a loop or a call; raises LimitReached where there were too many."""
        self.steps -= 1
        if self.steps < 0:
            raise LimitReached(f"it ran for more than {self.limits.steps:,} rounds of its loops")
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")

    def spend(self, size: int) -> None:
        """Count something of this size before it is built; raises LimitReached where that is too much."""
        if size > self.limits.largest:
            raise LimitReached(f"it builds a text or list of more than {self.limits.largest:,} bytes or items")
        self.left -= size
        if self.left < 0:
            raise LimitReached(f"it built texts and lists of more than {self.limits.size:,} bytes together")
