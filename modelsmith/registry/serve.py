"""A small registry that only reads: over a store's folder, or in front of another registry whose models it keeps.

Ollama pulls a blob only where the answer names a ``Location`` (or redirects to another host); this one always does. Source:
Ollama ``server/download.go`` (getDirectURL), OCI distribution spec 1.1 (pull).
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from modelsmith.about import __version__
from modelsmith.errors import InvalidDigest, ModelNotFound, ModelsmithError, UsageError
from modelsmith.http.urls import is_loopback
from modelsmith.manifest import MANIFEST_TYPE, Digest
from modelsmith.registry.catalog import Catalog
from modelsmith.registry.documents import OCI_TYPE, write_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelsmith.registry.catalog import Upstream
    from modelsmith.store.local.local import LocalStore

_PATH = re.compile(r"/v2/(?P<name>[^/]+(?:/[^/]+)*)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")
_TAGS = re.compile(r"/v2/(?P<name>[^/]+(?:/[^/]+)*)/tags/list")
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18})")
_IDLE_SECONDS = 60


class Server:
    """The registry; leave the context to end it. ``listen`` is ``host:port``, port 0 any that is free."""

    def __init__(
        self,
        store: LocalStore,
        listen: str = "127.0.0.1:0",
        upstream: Upstream | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise UsageError(f"{listen!r:.100} is no address to listen at", hint="write it as HOST:PORT")
        self.catalog = Catalog(store, upstream)
        members = {"catalog": self.catalog, "guarded": is_loopback(host), "log": staticmethod(log or _say_nothing)}
        try:
            self._http = _Threading((host, int(port)), type("Handler", (_Handler,), members))
        except OSError as error:
            raise UsageError(
                f"{listen} cannot be listened at: {error.strerror or error}", hint="choose another port with --listen"
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.host = f"{shown}:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown_if_running()
        self._http.server_close()
        self.catalog.close()

    def start(self) -> None:
        """Serve in another thread."""
        self._http.is_running = True
        threading.Thread(target=self._http.serve_forever, name="modelsmith-serve", daemon=True).start()

    def run(self) -> None:
        """Serve until the process is interrupted."""
        self._http.serve_forever()


class _Threading(ThreadingHTTPServer):
    daemon_threads = True
    is_running = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def shutdown_if_running(self) -> None:
        """Stop serving, where another thread does that."""
        if self.is_running:
            self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away; anything else is a bug, which is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    catalog: Catalog
    guarded: bool
    log: Callable[[str], None]
    protocol_version = "HTTP/1.1"
    server_version = f"modelsmith/{__version__}"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name of the method that is overridden
        """Pass a line on."""
        self.log(f"{self.client_address[0]} {format % args}")

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer()

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer()

    def do_POST(self) -> None:
        """Refuse: this registry only reads."""
        self.close_connection = True
        self._refuse(405, "UNSUPPORTED", "this registry only reads; push to the one behind it")

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815  # the names by which methods are found

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if self.guarded and not _is_ours(self.headers.get("Host", "")):
            self._refuse(403, "DENIED", "this registry is for this machine only")
            return
        try:
            if path in {"/v2/", "/v2"}:
                self._json({})
            elif path == "/v2/_catalog":
                self._json({"repositories": self.catalog.repositories()})
            elif match := _TAGS.fullmatch(path):
                self._json({"name": match["name"], "tags": self.catalog.tags(match["name"])})
            elif not (match := _PATH.fullmatch(path)):
                self._refuse(404, "NAME_UNKNOWN", "there is nothing of this name")
            elif match["kind"] == "manifests":
                self._manifest(match["name"], match["reference"])
            else:
                self._blob(Digest.parse(match["reference"]))
        except (ModelNotFound, InvalidDigest) as error:
            self._refuse(404, "MANIFEST_UNKNOWN", error.message)
        except ModelsmithError as error:
            self._refuse(502, "UNKNOWN", error.message)

    def _manifest(self, name: str, reference: str) -> None:
        manifest = self.catalog.manifest(name, reference)
        accepted = self.headers.get("Accept", "")
        document = write_document(manifest, oci=OCI_TYPE in accepted and MANIFEST_TYPE not in accepted)
        self._start(200, document.media_type, len(document.data), {"Docker-Content-Digest": str(document.digest)})
        if self.command == "GET":
            self.wfile.write(document.data)

    def _blob(self, digest: Digest) -> None:
        size = self.catalog.blob_size(digest)
        if size is None:
            self._refuse(404, "BLOB_UNKNOWN", f"there is no blob {digest}")
            return
        part = _part(self.headers.get("Range", ""), size)
        if part is None:
            self._start(416, "application/octet-stream", 0, {"Content-Range": f"bytes */{size}"})
            return
        start, end = part
        host = self.headers.get("Host") or "localhost"
        headers = {
            "Accept-Ranges": "bytes",
            "Docker-Content-Digest": str(digest),
            "ETag": f'"{digest}"',
            "Location": f"http://{host}{urlsplit(self.path).path}",
        }
        is_part = _RANGE.fullmatch(self.headers.get("Range", "").strip()) is not None
        if is_part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._start(206 if is_part else 200, "application/octet-stream", end - start, headers)
        if self.command == "GET" and end > start:
            self.wfile.flush()
            self._send(self.catalog.blob_file(digest), start, end)

    def _send(self, path: Path | None, start: int, end: int) -> None:
        """Send a part of a file; where that fails the connection ends, as the headers are sent already."""
        self.close_connection = True
        if path is None:
            return
        with suppress(OSError), path.open("rb") as file:
            self.close_connection = self.connection.sendfile(file, start, end - start) < end - start

    def _json(self, body: object) -> None:
        data = json.dumps(body).encode()
        self._start(200, "application/json", len(data), {})
        if self.command == "GET":
            self.wfile.write(data)

    def _refuse(self, status: int, code: str, message: str) -> None:
        data = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self._start(status, "application/json", len(data), {})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _start(self, status: int, media_type: str, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(length))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _say_nothing(_line: str) -> None:
    pass


def _is_ours(host: str) -> bool:
    """Whether a request means this machine by an address or by localhost; any other name may be a page's trick (DNS rebinding)."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return bool(ip_address(name))
    except ValueError:
        return is_loopback(name)


def _part(text: str, size: int) -> tuple[int, int] | None:
    """Return start and end of the range that is asked for; all where none is, None where there is nothing there."""
    match = _RANGE.fullmatch(text.strip())
    if not text or match is None:
        return 0, size
    if match[3] is not None:
        start, end = max(0, size - int(match[3])), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    return (start, end) if start < end else None
