"""Serve one editor over stdin and stdout."""

from __future__ import annotations

import logging

from modelsmith.cli.lsp.diagnose import Diagnoser
from modelsmith.cli.lsp.features import FEATURES
from modelsmith.cli.lsp.server import Server


def serve() -> int:
    """Serve stdin and stdout until the editor leaves; 0 where it said goodbye."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # what matters is logged in the editor
    server = Server(Diagnoser)
    for name, function, options in FEATURES:
        server.feature(name, options)(function)
    try:
        server.start_io()
    finally:
        server.worker.stop()
    return 0 if server.protocol.was_shut_down else 1
