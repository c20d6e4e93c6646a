"""Whether something listens at a port: asked before the client, and all it needs, is loaded."""

from __future__ import annotations

import socket


def is_listening(host: str, port: int, seconds: float) -> bool:
    """Say whether something accepts connections there within so many seconds, without asking it anything."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except (OSError, UnicodeError):
        return False
