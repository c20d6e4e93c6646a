"""A web server on this machine that serves one file, with or without ranges, redirects and odd answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeWeb:
    """What the server serves and how: ``files`` by their paths, ``data`` under any other; ``requests`` are the paths and headers that came."""

    data: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    kind: str = "application/octet-stream"
    redirects: dict[str, str] = field(default_factory=dict)
    override: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    def answer(self, handler: Any) -> None:
        """Answer one GET."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append((handler.path, headers))
        if target := self.redirects.get(handler.path):
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        first, _, last = headers["range"].removeprefix("bytes=").partition("-")
        data = self.files.get(handler.path, self.data)
        start, end = int(first), min(int(last) + 1, len(data))
        body, extra = data, {"ETag": '"one"'}
        status = 200
        if self.ranges and start >= len(data):
            status, body = 416, b""
            extra["Content-Range"] = f"bytes */{len(data)}"
        elif self.ranges:
            status, body = 206, data[start:end]
            extra["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        extra |= self.override
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        if self.length:
            handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Content-Type", self.kind)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            handler.wfile.write(body)
            self.sent += len(body)
        except OSError:
            pass  # the reader had enough


@contextmanager
def serving(web: FakeWeb) -> Iterator[FakeWeb]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.answer(self)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
