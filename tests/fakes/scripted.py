"""A server that answers each path as a test wrote it down: parts of a body, pauses between them, an end before the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Script:
    """One answer: ``parts`` are bytes, or a number of seconds to wait; ``cut`` closes the connection without an end."""

    parts: Sequence[bytes | float] = ()
    kind: str = "text/event-stream"
    status: int = 200
    cut: bool = False

    @classmethod
    def json(cls, value: object, status: int = 200) -> Script:
        return cls((json.dumps(value).encode(),), "application/json", status)

    @classmethod
    def lines(cls, *values: object, cut: bool = False) -> Script:
        return cls([json.dumps(value).encode() + b"\n" for value in values], "application/x-ndjson", cut=cut)

    @classmethod
    def events(cls, *values: object, done: bool = True) -> Script:
        parts = [f"data: {json.dumps(value)}\n\n".encode() for value in values]
        return cls([*parts, b"data: [DONE]\n\n"] if done else parts)


@dataclass
class ScriptedServer:
    """``asked`` are the paths, headers and bodies that came."""

    scripts: dict[str, Script]
    asked: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)
    url: str = ""

    def body(self, path: str) -> Any:
        return next(body for asked, _, body in self.asked if asked == path)


@contextmanager
def scripted(scripts: dict[str, Script]) -> Iterator[ScriptedServer]:
    state = ScriptedServer(scripts)
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.asked.append((self.path, dict(self.headers), json.loads(data) if data else None))
            script = state.scripts.get(self.path) or Script.json({"error": "404 page not found"}, 404)
            self.send_response(script.status)
            self.send_header("Content-Type", script.kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                for part in script.parts:
                    if isinstance(part, bytes):
                        self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                        self.wfile.flush()
                    else:
                        ended.wait(part)
                if not script.cut:
                    self.wfile.write(b"0\r\n\r\n")
            self.close_connection = script.cut

        do_POST = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
