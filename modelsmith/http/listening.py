"""Whether something listens at a port: asked before the client, and all it needs, is loaded."""

from __future__ import annotations

import socket
from typing import Any


def is_listening(host: str, port: int, seconds: float) -> bool:
    """Say whether something accepts connections there within so many seconds, without asking it anything."""
    name: Any = (
        host.encode() if host.isascii() else host
    )  # bytes spare the tables of IDNA, which an ASCII name needs not
    try:
        with socket.create_connection((name, port), timeout=seconds):
            return True
    except (OSError, UnicodeError):
        return False
