"""Go as deep as a template is nested, where Python's own stack would be at its end.

Python stops after some thousand calls, one in the other, whatever the machine could bear, and a whole program shares that
limit. But every thread counts for itself. So what is nested deeper than a few dozen levels goes on in a thread of its own
while this one waits: that costs a tenth of a millisecond, and only such templates pay it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 50  # levels that a thread has to bear: a level takes up to nine calls, and whoever calls us takes some too

P = ParamSpec("P")
T = TypeVar("T")


def on_fresh_stack(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a new thread, with the context variables of this one, and wait for what it returns or raises."""
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(copy_context().run, partial(function, *args, **kwargs)).result()
        except RuntimeError as error:
            if isinstance(error, RecursionError) or "thread" not in str(error):
                raise
            raise RecursionError(str(error)) from None  # the machine has no more threads


class Levels:
    """Counts how deep a walk is, and lets every so many levels run on a stack of their own."""

    def __init__(self) -> None:
        self._depth = 0

    def deeper(self, walk: Callable[P, T], move: Callable[[T], T] | None, *args: P.args, **kwargs: P.kwargs) -> T:
        """Walk what is one level deeper.

        If it is compiled to something that runs as deep, ``move`` makes that run on a fresh stack too.
        """
        self._depth += 1
        try:
            if self._depth % STEP:
                return walk(*args, **kwargs)
            walked = on_fresh_stack(walk, *args, **kwargs)
            return move(walked) if move else walked
        finally:
            self._depth -= 1
