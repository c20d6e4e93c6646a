"""A whole answer has its time: a server that sends a byte now and then keeps nobody waiting."""

from __future__ import annotations

import socket
import threading
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Connections:
    """The sockets of one client, told apart by the requests that use them; a limit on silence alone never ends a drip."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def trace(self, deadline: Deadline) -> Callable[[str, dict[str, Any]], None]:
        """Return what the HTTP library is to call at each of its steps, so that the deadline knows its socket."""

        def note(step: str, about: dict[str, Any]) -> None:
            if step.endswith(("connect_tcp.complete", "start_tls.complete")):
                found = about["return_value"].get_extra_info("socket")
                if isinstance(found, socket.socket):
                    self._open.add(found)
                    deadline.sockets = (found,)

        return note

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[Deadline]:
        """Yield a deadline that breaks the connection off when the time is over; None is no limit."""
        deadline = Deadline(tuple(self._open))
        deadline.restart(seconds)
        try:
            yield deadline
        finally:
            deadline.restart(None)


class Deadline:
    """The time that is left for a request; ``expired`` says that it is over and ``seconds`` how long it was."""

    def __init__(self, sockets: tuple[socket.socket, ...]) -> None:
        self.sockets = sockets
        self.expired = False
        self.seconds = 0.0
        self._timer: threading.Timer | None = None

    def restart(self, seconds: float | None) -> None:
        """Begin anew, or (None) end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self.seconds = seconds
            self._timer = threading.Timer(seconds, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def _expire(self) -> None:
        self.expired = True
        for open_socket in self.sockets:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
