"""What one command has read and rendered, so that it does each once.

The memory belongs to the command: it begins with :func:`remembering` and is gone when that ends. Without it (a library, an
editor's server) nothing is remembered.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

T = TypeVar("T")

_ROOM = 64_000_000  # characters; what comes when they are full is made again


class Memory:
    """What was made, by key, and how many more characters it may hold."""

    __slots__ = ("known", "room")

    def __init__(self) -> None:
        self.known: dict[Hashable, Any] = {}
        self.room = _ROOM


_MEMORY: ContextVar[Memory | None] = ContextVar("what_the_command_knows", default=None)
_READING_ONLY: ContextVar[bool] = ContextVar("whether_the_command_changes_nothing", default=False)


class Same:
    """A key that stands for one object, not for all that are equal to it; it keeps the object alive."""

    __slots__ = ("_object",)

    def __init__(self, object_: object) -> None:
        self._object = object_

    def __hash__(self) -> int:
        return id(self._object)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other._object is self._object


@contextmanager
def remembering(memory: Memory | None = None) -> Iterator[Memory]:
    """Let what runs within it remember, in a memory that was begun before or in a new one; within another it joins that."""
    around = _MEMORY.get()
    if around is not None:
        yield around
        return
    own = Memory() if memory is None else memory
    token = _MEMORY.set(own)
    try:
        yield own
    finally:
        _MEMORY.reset(token)


def remembered(
    key: Hashable,
    make: Callable[[], T],
    *,
    size: Callable[[T], int] = lambda _made: 0,
    refusals: type[Exception] | tuple[()] = (),
) -> T:
    """Return what the command has made under this key, else make it.

    ``size`` is how many characters it takes: a command remembers no more than some 64 million of them. Errors of the kind
    ``refusals`` are remembered and raised again.
    """
    memory = _MEMORY.get()
    if memory is None:
        return make()
    if key in memory.known:
        found: T | _Refused = memory.known[key]
        if isinstance(found, _Refused):
            raise found.error.with_traceback(None)
        return found
    try:
        made = make()
    except refusals as error:
        memory.known[key] = _Refused(error)
        raise
    note(key, made, size(made))
    return made


@contextmanager
def reading_only() -> Iterator[None]:
    """Say that what runs within it changes nothing, so that what a server says of a model may be remembered too."""
    token = _READING_ONLY.set(True)
    try:
        with remembering():
            yield
    finally:
        _READING_ONLY.reset(token)


def said_once(key: Hashable, ask: Callable[[], T], *, refusals: type[Exception] | tuple[()] = ()) -> T:
    """Return what somebody else says: asked once by what only reads (see :func:`reading_only`), each time by all else."""
    return remembered(key, ask, refusals=refusals) if _READING_ONLY.get() else ask()


def is_remembering() -> bool:
    """Say whether anything is remembered now."""
    return _MEMORY.get() is not None


def note(key: Hashable, made: object, size: int = 0) -> None:
    """Remember something, as far as there is a memory and room in it."""
    memory = _MEMORY.get()
    if memory is not None and memory.room >= size:
        memory.room -= size
        memory.known[key] = made


def recall(key: Hashable) -> Any:
    """Return what is remembered under a key; None where there is nothing."""
    memory = _MEMORY.get()
    return None if memory is None else memory.known.get(key)


class _Refused:
    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error
