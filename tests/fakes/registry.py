"""A registry in memory, as the OCI distribution spec has it; ``twist`` makes it misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)")
_BLOB = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})")
_UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/(\d*)")
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_PIECE = 256 << 10


class FakeRegistry:
    """Listens on loopback from the start; use it in a ``with``. ``twist(handler)`` returns True where it has answered itself."""

    def __init__(self, *, login: str = "", token_realm: str = "", ranges: bool = True, tls: Path | None = None) -> None:
        self.blobs: dict[str, bytes] = {}
        self.where: set[tuple[str, str]] = set()
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, bytearray] = {}
        self.log: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.twist: Callable[[Handler], bool] = lambda handler: False
        self.login, self.token_realm, self.ranges = login, token_realm, ranges
        self.token = "secret-token"
        self.sent = 0
        self.on_bytes: Callable[[int], None] = lambda count: None  # hears of every piece of a blob that moved
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"registry": self}))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls:  # a folder with a certificate
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "ca.pem", tls / "key.pem")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> FakeRegistry:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put_blob(self, repository: str, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        self.where.add((repository, digest))
        return digest

    def count(self, method: str, part: str) -> int:
        return sum(line.startswith(method) and part in line for line in self.log)


class Handler(BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"
    timeout = 600

    def log_message(self, *_: Any) -> None:
        pass

    def _any(self) -> None:
        self.registry.log.append(f"{self.command} {self.path}")
        self.registry.headers.append(dict(self.headers.items()))
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if self.registry.twist(self):
            return
        if not self._let_in(parts.path, query):
            return
        if match := _UPLOAD.fullmatch(parts.path):
            self._upload(match[1], match[2], query)
        elif match := _BLOB.fullmatch(parts.path):
            self._blob(match[1], match[2])
        elif match := _MANIFEST.fullmatch(parts.path):
            self._manifest(match[1], match[2])
        else:
            self.answer(200 if parts.path == "/v2/" else 404, b"{}")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _any

    def _let_in(self, path: str, query: dict[str, str]) -> bool:
        registry = self.registry
        sent = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(registry.login.encode()).decode()
        if path == "/token":
            ok = not registry.login or sent == basic
            self.answer(200 if ok else 401, json.dumps({"token": registry.token}).encode())
            return False
        if registry.token_realm:
            if sent == f"Bearer {registry.token}":
                return True
            scope = "repository:x:pull"
            challenge = f'Bearer realm="{registry.token_realm}",service="fake",scope="{scope}"'
        elif registry.login and sent != basic:
            challenge = 'Basic realm="fake"'
        else:
            return True
        self.body()
        self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"WWW-Authenticate": challenge})
        return False

    def answer(
        self, status: int, data: bytes = b"", headers: dict[str, str] | None = None, *, is_blob: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        view = memoryview(data)
        while view:
            self.wfile.write(view[:_PIECE])
            if is_blob:
                self.registry.on_bytes(len(view[:_PIECE]))
            view = view[_PIECE:]

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _manifest(self, repository: str, reference: str) -> None:
        registry = self.registry
        if self.command == "PUT":
            data = self.body()
            entry = (self.headers.get("Content-Type", ""), data)
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            registry.manifests[repository, reference] = registry.manifests[repository, digest] = entry
            self.answer(201)
        elif found := registry.manifests.get((repository, reference)):
            digest = f"sha256:{hashlib.sha256(found[1]).hexdigest()}"
            self.answer(200, found[1], {"Content-Type": found[0], "Docker-Content-Digest": digest})
        else:
            self.answer(404, b"{}")

    def _blob(self, repository: str, digest: str) -> None:
        registry = self.registry
        if (repository, digest) not in registry.where:
            self.answer(404, b"{}")
            return
        data = registry.blobs[digest]
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if self.command == "HEAD":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
        elif match and registry.ranges:
            start, end = int(match[1]), int(match[2]) + 1
            registry.sent += end - start
            self.answer(206, data[start:end], {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}, is_blob=True)
        else:
            registry.sent += len(data)
            self.answer(200, data, is_blob=True)

    def _upload(self, repository: str, session: str, query: dict[str, str]) -> None:
        registry = self.registry
        place = {"Location": f"/v2/{repository}/blobs/uploads/{session}"}
        if self.command == "POST":
            mounted = query.get("mount", "")
            if (query.get("from", ""), mounted) in registry.where:
                registry.where.add((repository, mounted))
                self.answer(201, headers={"Location": f"/v2/{repository}/blobs/{mounted}"})
                return
            session = str(len(registry.uploads) + 1)
            registry.uploads[session] = bytearray()
            self.answer(202, headers={"Location": f"/v2/{repository}/blobs/uploads/{session}"})
            return
        if session not in registry.uploads:
            self.body()
            self.answer(404, b"{}")
            return
        upload = registry.uploads[session]
        if self.command == "GET":
            self.answer(204, headers={**place, "Range": f"0-{max(0, len(upload) - 1)}"})
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left and (chunk := self.rfile.read1(min(left, 1 << 16))):  # what came is kept if the client goes away
            upload += chunk
            left -= len(chunk)
            registry.on_bytes(len(chunk))
        registry.sent += int(self.headers.get("Content-Length") or 0)
        if self.command == "PATCH":
            self.answer(202, headers=place)
        elif query.get("digest") == f"sha256:{hashlib.sha256(upload).hexdigest()}":
            registry.put_blob(repository, bytes(upload))
            self.answer(201)
        else:
            self.answer(400, b'{"errors":[{"code":"DIGEST_INVALID","message":"digest did not match"}]}')
