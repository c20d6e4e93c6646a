"""Go as deep as a template is nested, where Python's own stack would be at its end.

Python stops after some thousand calls, one in the other, whatever the machine could bear. A walk is a generator that yields the
walk into each part and is sent what comes of it; those that wait for a part stand in a list here, not on Python's stack.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias

STEP = 50
"""Levels that may stand on Python's stack: a level takes up to nine calls, and whoever calls us takes some too."""

Walk: TypeAlias = Generator[Any, Any, Any]
"""Yields walks, is sent what they return, and returns what comes of it."""


def walked(walk: Walk) -> Any:
    """Walk to the end and return what comes of it; an error goes up through all that wait, as it does through calls."""
    waiting = [walk]
    found: Any = None
    error: BaseException | None = None
    while waiting:
        try:
            inner = waiting[-1].send(found) if error is None else waiting[-1].throw(error)
        except StopIteration as end:
            waiting.pop()
            found, error = end.value, None
        except BaseException as raised:  # noqa: BLE001  # whatever it is, those who wait get it
            waiting.pop()
            found, error = None, raised
        else:
            waiting.append(inner)
            found = error = None
    if error is not None:
        raise error
    return found
