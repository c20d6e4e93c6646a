"""Trying again: after a pause that doubles, as long as what happened may pass, and afresh after every progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.registry.errors import PASSING

if TYPE_CHECKING:
    import threading

    from modelsmith.errors import ServerError
    from modelsmith.http.response import Limits

_LONGEST_PAUSE = 30.0


class Retry:
    """Counts the tries of one thing; ``stop`` ends the pauses."""

    def __init__(self, limits: Limits, stop: threading.Event) -> None:
        self._limits = limits
        self._stop = stop
        self._failures = 0

    def progressed(self) -> None:
        """Begin to count anew: what moves on may fail as often as it likes."""
        self._failures = 0

    def failed(self, error: ServerError) -> None:
        """Wait before the next try; raises the error where there is no use in one."""
        self._failures += 1
        if self._stop.is_set() or error.status not in PASSING or self._failures >= self._limits.tries:
            raise error
        pause = min(self._limits.pause_seconds * 2 ** (self._failures - 1), _LONGEST_PAUSE)
        if self._stop.wait(pause):
            raise error
