"""Connections for large bodies: requests without redirects, answers read into buffers, files sent by the kernel.

Blobs go through ``http.client``: on loopback it moves about twice as many bytes a second as the client of the JSON
APIs does, whose pieces are small objects. Everything is bounded: headers by ``http.client``, an answer's start by a
deadline, silence by a timeout, a trickle by a least rate.
"""

from __future__ import annotations

import base64
import http.client
import select
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import SplitResult, unquote, urlsplit

from modelsmith.errors import ServerError, UsageError
from modelsmith.http.addresses import resolve
from modelsmith.http.client import USER_AGENT
from modelsmith.http.response import Limits, Response, broken
from modelsmith.http.urls import proxy_for, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from modelsmith.http.addresses import Resolver

_SEND = 4 << 20


@dataclass(frozen=True, slots=True)
class FilePart:
    """``length`` bytes of an open file from ``start`` on, as the body of a request."""

    file: BinaryIO
    start: int
    length: int
    sent: Callable[[int], None] | None = None


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to trust: the system's certificates, and those of ``ca_file``; raises UsageError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{ca_file} cannot be used as certificates to trust: {error}", hint="--ca-file names a PEM file"
            ) from error
    return context


class _Connection(http.client.HTTPConnection):
    """A connection to addresses that were looked at before, plain or with TLS, directly or through a proxy."""

    def __init__(self, host: str, port: int, addresses: tuple[str, ...], limits: Limits) -> None:
        super().__init__(host, port, timeout=limits.stall_seconds)
        self.addresses = addresses
        self.limits = limits
        self.trust: ssl.SSLContext | None = None
        self.server_name = host
        self.is_spoiled = False  # a request was not sent whole, so that no other can follow
        self.proxy_login: dict[str, str] | None = (
            None  # what a proxy for plain http wants to see; None where there is none
        )

    @property
    def is_usable(self) -> bool:
        """Whether another request can be sent."""
        return self.sock is not None and not self.is_spoiled

    def has_news(self) -> bool:
        """Whether the server has sent something, or closed the connection."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def connect(self) -> None:
        error: OSError = OSError("no address")
        for address in self.addresses:
            try:
                self.sock = socket.create_connection((address, self.port), self.limits.connect_seconds)
                break
            except OSError as failure:
                error = failure
        else:
            raise error
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(self.limits.stall_seconds)
        if getattr(self, "_tunnel_host", None):
            self._tunnel()  # type: ignore[attr-defined]  # what set_tunnel() prepares; HTTPSConnection does the same
        if self.trust is not None:
            self.sock = self.trust.wrap_socket(self.sock, server_hostname=self.server_name)


@dataclass(slots=True)
class Wire:
    """Sends requests and keeps connections for the next ones; safe to use from many threads."""

    trust: Callable[[], ssl.SSLContext]
    limits: Limits = field(default_factory=Limits)
    resolver: Resolver = resolve
    requests: int = 0
    _idle: dict[tuple[str, str, int], list[_Connection]] = field(default_factory=dict)
    _busy: set[_Connection] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host; raises ServerError."""
        try:
            return self.resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise ServerError(
                f"{host} cannot be found: {getattr(error, 'strerror', None) or error}",
                hint="check the name of the registry and the network",
            ) from error

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | FilePart | None = None,
        *,
        check: Callable[[str, tuple[str, ...]], None] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Response]:
        """Send a request and hand out the answer, whatever its status.

        ``check`` may refuse the addresses of the host; ``seconds`` is how long the answer may take to begin.
        """
        parts = urlsplit(url)
        connection, fresh = self._take(parts, check)
        response = None
        try:
            response = self._send(
                connection,
                method,
                url,
                headers,
                body,
                seconds,
                may_be_closed=not fresh and not isinstance(body, FilePart),
            )
            if response is None:  # the server had closed a kept connection; nothing was answered on it
                self._drop(connection)
                connection, _ = self._take(parts, check, reuse=False)
                response = self._send(connection, method, url, headers, body, seconds)
            yield cast("Response", response)
            is_reusable = response is not None and response.finish() and connection.is_usable
        except BaseException:
            self._drop(connection, response)
            raise
        if is_reusable:
            self._keep(parts, connection)
        else:
            self._drop(connection, response)

    def stop(self) -> None:
        """End every exchange that is under way; used when the work is interrupted."""
        with self._lock:
            self._stopped = True
            for connection in self._busy:
                if connection.sock is not None:
                    with suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _take(
        self, parts: SplitResult, check: Callable[[str, tuple[str, ...]], None] | None, *, reuse: bool = True
    ) -> tuple[_Connection, bool]:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        with self._lock:
            if self._stopped:
                raise ServerError("the transfer was stopped")
            idle = self._idle.get((parts.scheme, host, port), [])
            while reuse and idle and check is None:
                connection = idle.pop()
                if not connection.has_news():  # one that the server closed meanwhile has
                    self._busy.add(connection)
                    return connection, False
                connection.close()
        connection = self._connection(parts, host, port, check)
        with self._lock:
            self._busy.add(connection)
        return connection, True

    def _connection(
        self, parts: SplitResult, host: str, port: int, check: Callable[[str, tuple[str, ...]], None] | None
    ) -> _Connection:
        secure = parts.scheme == "https"
        proxy = urlsplit(proxy_for(f"{parts.scheme}://{parts.netloc}") or "")
        if not proxy.hostname:
            addresses = self.addresses(host, port)
            if check is not None:
                check(host, addresses)
            connection = _Connection(host, port, addresses, self.limits)
        else:  # who the host is, the proxy knows; it decides where one may go
            there = proxy.port or (443 if proxy.scheme == "https" else 80)
            connection = _Connection(proxy.hostname, there, self.addresses(proxy.hostname, there), self.limits)
            connection.server_name = host
            login = _proxy_login(proxy)
            if check is not None and _is_address(host):
                check(host, (host,))
            if secure:
                connection.set_tunnel(host, port, login)
            else:
                connection.proxy_login = login
        connection.trust = self.trust() if secure else None
        return connection

    def _send(
        self,
        connection: _Connection,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | FilePart | None,
        seconds: float | None,
        *,
        may_be_closed: bool = False,
    ) -> Response | None:
        """Return the answer; None where a connection that may be closed was."""
        self.requests += 1
        timer = None
        try:
            self._write(connection, method, url, headers, body)
            limit = seconds or self.limits.answer_seconds
            connection.sock.settimeout(max(limit, self.limits.stall_seconds))
            late = threading.Event()
            timer = threading.Timer(limit, _shut, (connection, late))
            timer.daemon = True
            timer.start()
            answer = connection.getresponse()
            if late.is_set():
                answer.close()
                raise TimeoutError  # the headers that came look complete to http.client, as nothing follows them
            if connection.sock is not None:  # None where the server closes after this answer
                connection.sock.settimeout(self.limits.stall_seconds)
            return Response(url, answer, self.limits)
        except (BrokenPipeError, ConnectionResetError) as error:  # http.client.RemoteDisconnected is one
            if may_be_closed:
                return None
            raise _closed(url, method) from error
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            raise broken(url, error, method) from error
        finally:
            if timer is not None:
                timer.cancel()

    def _write(
        self, connection: _Connection, method: str, url: str, headers: Mapping[str, str], body: bytes | FilePart | None
    ) -> None:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if connection.proxy_login is not None:
            target = f"http://{parts.netloc}{target}"
            headers = {**headers, **connection.proxy_login}
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc.rpartition("@")[2])
        connection.putheader("User-Agent", USER_AGENT)
        connection.putheader("Accept-Encoding", "identity")
        for name, value in headers.items():
            connection.putheader(name, value)
        if isinstance(body, FilePart):
            connection.putheader("Content-Length", str(body.length))
            connection.endheaders()
            try:
                _send_file(connection, body)
            except (BrokenPipeError, ConnectionResetError):  # it may have answered before it read everything
                connection.is_spoiled = True
        else:
            if body is not None or method in {"POST", "PUT", "PATCH"}:
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)

    def _keep(self, parts: SplitResult, connection: _Connection) -> None:
        key = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        with self._lock:
            self._busy.discard(connection)
            self._idle.setdefault(key, []).append(connection)

    def _drop(self, connection: _Connection, response: Response | None = None) -> None:
        with self._lock:
            self._busy.discard(connection)
        if response is not None:
            response.close()
        connection.close()


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    """Return the header by which a proxy whose URL has a user knows us."""
    if not proxy.username:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _closed(url: str, method: str) -> ServerError:
    return ServerError(
        f"{method} {redacted(url)}: the connection was closed without an answer",
        hint="the registry was stopped, or does not want this; its log says more",
    )


def _send_file(connection: _Connection, body: FilePart) -> None:
    sock = connection.sock
    done = 0
    while done < body.length:
        if connection.has_news():  # it has answered already, and does not want the rest
            connection.is_spoiled = True
            return
        count = sock.sendfile(body.file, body.start + done, min(_SEND, body.length - done))
        if not count:
            raise OSError("the file became shorter while it was sent")
        done += count
        if body.sent is not None:
            body.sent(done)


def _shut(connection: _Connection, late: threading.Event) -> None:
    """End a connection whose answer takes too long, from another thread."""
    late.set()
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
