"""Serve the page on loopback: the files of one build and nothing else."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from modelsmith.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from modelsmith.playground.site import Manifest

HOST = "127.0.0.1"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Server:
    """A server of one page, to be used with ``with``; ``run`` serves until it is interrupted."""

    def __init__(self, site: Path, built: Manifest, port: int) -> None:
        names = {*built.files, "build.json"}

        class Handler(_Handler):
            folder = site
            files = frozenset(names)
            digests = built.files

        try:
            self._http = _Threading((HOST, port), Handler)
        except OSError as error:
            raise StoreError(
                f"port {port} of {HOST} cannot be used: {error.strerror or error}",
                hint="--port 0 takes one that is free",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let the port go."""
        self._http.server_close()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._http.server_address[1]}/"

    def run(self) -> None:
        """Serve until the process is interrupted."""
        self._http.serve_forever(poll_interval=0.5)

    def stop(self) -> None:
        """End ``run``, from another thread."""
        self._http.shutdown()


class _Threading(ThreadingHTTPServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "modelsmith"
    sys_version = ""
    folder: Path
    files: frozenset[str]
    digests: Any

    def do_GET(self) -> None:
        """Answer with a file of the page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers of a file of the page."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is that of the standard library
        """Say nothing of requests."""

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.partition("?")[0].removeprefix("/") or "index.html"
        if name not in self.files:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        tag = f'"{self.digests.get(name, "")}"'
        if self.headers.get("If-None-Match") == tag and tag != '""':
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        try:
            data = (self.folder / name).read_bytes()
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES.get("." + name.rpartition(".")[2], "application/octet-stream"))
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        for key, value in _HEADERS.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(data)
