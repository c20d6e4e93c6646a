"""Run an action in a process of its own that ends at once at its n-th change of the file system, as a kill would end it.

A change is what Python tells its audit hooks (a file is opened to be written, named, cut off, removed) and each call that writes
bytes. A write ends the process twice: before its first byte, and in the middle of its bytes. A file that is opened anew ends it
a second time when it is empty.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Callable
from typing import Any

AUDITED = frozenset(
    {
        "open",
        "os.rename",
        "os.link",
        "os.symlink",
        "os.remove",
        "os.mkdir",
        "os.rmdir",
        "os.truncate",
        "os.utime",
        "os.chmod",
        "os.chown",
        "fcntl.flock",
    }
)
_WRITERS = ("write", "pwrite")
_UNAUDITED = ("fsync", "copy_file_range", "sendfile")
_DEAD = 77


def die_at(number: int, action: Callable[[], object]) -> bool:
    """Run ``action`` in a child that ends at once at its ``number``-th change; say whether it did."""
    child = os.fork()
    if child == 0:
        act_and_end(action, _Steps(number).watch)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    check_code(code, {0, _DEAD})
    return code == _DEAD


def finished(action: Callable[[], object]) -> None:
    """Run ``action`` in a child to its end: a process remembers what it has seen, and each run is one of its own."""
    child = os.fork()
    if child == 0:
        act_and_end(action)
    check_code(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), {0})


def act_and_end(action: Callable[[], object], before: Callable[[], object] = lambda: None) -> None:
    """Run the action in a child, which must never return into what its parent does."""
    code = 1
    try:
        os.fsync = lambda _descriptor: None  # type: ignore[assignment]  # a kill loses nothing of what was written
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        before()
        action()
        code = 0
    finally:
        os._exit(code)


def check_code(code: int, fine: set[int]) -> None:
    """Raise AssertionError for any other exit code of a child."""
    if code not in fine:
        raise AssertionError(f"the action itself failed (exit code {code})")


class _Steps:
    """Counts changes, and ends the process at the one that is asked for."""

    def __init__(self, number: int) -> None:
        self._number, self._seen = number, 0

    def watch(self) -> None:
        """Begin to count, until the process ends."""
        sys.addaudithook(self._audited)
        for name in _WRITERS:
            setattr(os, name, self._torn(getattr(os, name)))
        for name in _UNAUDITED:
            setattr(os, name, self._counted(getattr(os, name)))
        io.open = builtins.open = self._opened(io.open)

    def _step(self) -> None:
        self._seen += 1
        if self._seen == self._number:
            os._exit(_DEAD)

    def _audited(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in AUDITED and not (event == "open" and _only_reads(arguments)):
            self._step()

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self._step()
            return call(*arguments, **named)

        return counted

    def _torn(self, call: Callable[..., int]) -> Callable[..., int]:
        def torn(descriptor: int, data: Any, *place: int) -> int:
            self._step()
            if self._seen + 1 == self._number and len(data) > 1:
                call(descriptor, data[: len(data) // 2], *place)
            self._step()
            return call(descriptor, data, *place)

        return torn

    def _opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            found = call(file, mode, *arguments, **named)
            if not isinstance(file, int) and "r" not in mode:
                self._step()
            return found

        return opened


def _only_reads(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
