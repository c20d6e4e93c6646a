"""Ports for servers that are started for a test, and ports where nobody answers."""

from __future__ import annotations

import socket

_HELD: list[socket.socket] = []


def free_port() -> int:
    """Return a port of this machine where nothing answers, and that nobody else is given while these tests run.

    It stays bound here without listening, as a port that may be used again: a server that asks for the same, as servers do, can listen there.
    """
    held = socket.socket()
    for option in ("SO_REUSEADDR", "SO_REUSEPORT"):
        if hasattr(socket, option):
            held.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
    held.bind(("127.0.0.1", 0))
    _HELD.append(held)
    port: int = held.getsockname()[1]
    return port
