"""The one HTTP client: JSON questions, NDJSON streams, streamed uploads; every failure is a ServerError that says where.

A client talks to one server. Bodies are bounded, redirects are reported instead of followed, credentials in the URL are
sent and never shown. Proxies come from the environment, but never for this machine itself.
"""

from __future__ import annotations

import json
import socket
import threading
import weakref
from contextlib import contextmanager
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

from modelsmith.about import __version__
from modelsmith.errors import ServerError, StoreError, UsageError
from modelsmith.fields import Fields
from modelsmith.gojson import encode
from modelsmith.http.deadline import Connections
from modelsmith.http.listening import is_listening
from modelsmith.http.urls import checked, is_loopback, not_a_url, proxy_for, redacted
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    import httpx2

USER_AGENT = f"modelsmith/{__version__}"
MAX_BODY = 64 << 20
MAX_ERROR = 64 << 10
MAX_LINE = 4 << 20
STALL_SECONDS = 30.0
BODY_SECONDS = 20.0
"""How long all of an answer may take once it has begun; streams have this for each of their lines."""
_DRIPS = "it is overloaded, stuck, or not what it seems; try again, or name another server"
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


@contextmanager
def _watch(stalled: Callable[[float], None] | None) -> Iterator[Callable[[], None]]:
    """Yield a function to call at every sign of life; ``stalled`` hears of each silence of STALL_SECONDS."""
    if stalled is None:
        yield lambda: None
        return
    alive, ended = threading.Event(), threading.Event()

    def wait() -> None:
        silence = 0.0
        while not ended.is_set():
            silence = 0.0 if alive.wait(STALL_SECONDS) else silence + STALL_SECONDS
            alive.clear()
            if silence and not ended.is_set():
                stalled(silence)

    thread = threading.Thread(target=wait, name="modelsmith-stall", daemon=True)
    thread.start()
    try:
        yield alive.set
    finally:
        ended.set()
        alive.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: names of headers are in lower case, ``body`` may be cut where it was too long."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """One server's HTTP API; ``peer`` says what should answer there, ``absent`` what to do when nothing does."""

    def __init__(
        self,
        url: str,
        *,
        peer: str = "server",
        absent: str = "",
        connect_seconds: float = 5.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        parts = checked(url)
        self._headers = dict(headers or {})
        self._base = urlunsplit(parts).rstrip("/")
        self.url = redacted(self._base)
        self.is_local = is_loopback(parts.hostname or "")
        self._peer = peer
        self._absent = absent
        self._connect_seconds = connect_seconds
        self._connections = Connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if (client := self.__dict__.pop("_client", None)) is not None:
            client.close()

    def is_listening(self, seconds: float) -> bool:
        """Whether something accepts connections there, without asking it anything; True where a proxy is in between."""
        if proxy_for(self._base):
            return True
        parts = urlsplit(self._base)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return is_listening(parts.hostname or "", port, seconds)

    @cached_property
    def _client(self) -> httpx2.Client:
        import httpx2

        proxy = proxy_for(self._base)
        alive = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        if hasattr(socket, "TCP_KEEPIDLE"):  # a peer that vanished without a word is noticed after about two minutes
            alive += [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in _KEEPALIVE]
        secure = any((url or "").startswith("https:") for url in (self._base, proxy))
        try:
            transport = httpx2.HTTPTransport(verify=secure, proxy=proxy, socket_options=alive)
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise UsageError(
                f"the proxy {redacted(proxy or '')} for {self.url} cannot be used: {error}",
                hint="use an http or https proxy, or name the host in NO_PROXY",
            ) from error
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **self._headers}
        client = httpx2.Client(transport=transport, trust_env=False, headers=headers)
        weakref.finalize(self, client.close)  # who forgets to close leaves no open socket behind
        return client

    def status(self, path: str, *, seconds: float = 30.0) -> int:
        """Return the status of ``HEAD path``, whatever it is below 500; 401 and 403 are errors too."""
        with self._exchange("HEAD", path, read=seconds, whole=BODY_SECONDS) as response:
            if response.status_code in {401, 403, 407} or response.status_code >= 500:
                raise self._refusal("HEAD", path, response)
            return response.status_code

    def ask(self, method: str, path: str, body: object = None, *, seconds: float | None = 60.0) -> dict[str, Any]:
        """Return the JSON object that the server answers; an empty answer is an empty object."""
        with self._exchange(method, path, body=body, read=seconds, whole=BODY_SECONDS) as response:
            self._check(method, path, response)
            data = self._body(method, path, response, MAX_BODY)
            return self._object(method, path, response, data) if data.strip() else {}

    def fetch(self, path: str, headers: Mapping[str, str], limit: int, *, seconds: float = 60.0) -> Answer:
        """``GET path``; return the answer with at most ``limit`` bytes of its body.

        Redirects and 416 (no such range) are answers; other statuses of failure raise ServerError.
        """
        with self._exchange("GET", path, extra=headers, read=seconds, whole=seconds) as response:
            if response.status_code >= 400 and response.status_code != 416:
                raise self._refusal("GET", path, response)
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) >= limit:
                    break
            return Answer(response.status_code, dict(response.headers), bytes(data[:limit]))

    def fields(self, method: str, path: str, body: object = None, *, seconds: float | None = 60.0) -> Fields:
        """Return what ``ask`` does, to be read field by field: one of another type is a ServerError that names it."""
        return self.read(method, path, self.ask(method, path, body, seconds=seconds))

    def read(self, method: str, path: str, answer: Mapping[str, Any]) -> Fields:
        """Return an answer, or a line of one, to be read field by field."""
        return Fields(answer, f"{method} {self.url}{path}", self._wrong)

    def lines(
        self,
        method: str,
        path: str,
        body: object,
        *,
        stalled: Callable[[float], None] | None = None,
        seconds: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects of a streamed answer as they come, without a limit on the time between them.

        ``seconds`` limits the time for all of it, None does not.
        """
        for response, line in self._stream(method, path, body, stalled=stalled, seconds=seconds):
            if line.strip():
                yield self._object(method, path, response, line)

    def events(self, path: str, body: object, *, seconds: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects that a POST is answered with as server-sent events, up to ``[DONE]``.

        An answer that is one JSON object instead is yielded as it is. ``seconds`` limits the time for all of it.
        Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event here is one line of data).
        """
        for response, line in self._stream("POST", path, body, stalled=None, seconds=seconds):
            name, colon, value = line.strip().partition(b":")
            if name in {b"data", b"error"} and colon:
                if value.strip() == b"[DONE]":
                    return
                yield self._object("POST", path, response, value)
            elif name and name not in {b"event", b"id", b"retry"}:
                yield self._object("POST", path, response, line)

    def _stream(
        self, method: str, path: str, body: object, *, stalled: Callable[[float], None] | None, seconds: float | None
    ) -> Iterator[tuple[httpx2.Response, bytes]]:
        """Yield the lines of an answer as they come, each with the answer that it is of."""
        with (
            _watch(stalled) as alive,
            self._exchange(method, path, body=body, read=None, total=seconds) as response,
        ):
            self._check(method, path, response)
            rest, begun = b"", monotonic()
            for chunk in response.iter_bytes():
                alive()
                *complete, rest = (rest + chunk).split(b"\n")
                if complete or rest == chunk:
                    begun = monotonic()
                elif monotonic() - begun > BODY_SECONDS:
                    raise self._error(method, path, f"did not end a line within {BODY_SECONDS:g} s", hint=_DRIPS)
                yield from ((response, line) for line in complete)
                if len(rest) > MAX_LINE:
                    raise self._error(method, path, f"sent a line of more than {MAX_LINE} bytes")
            yield response, rest

    def upload(
        self,
        path: str,
        chunks: Iterable[bytes | memoryview],
        size: int,
        *,
        stalled: Callable[[float], None] | None = None,
    ) -> int:
        """``POST`` the ``size`` bytes of ``chunks`` and return the status; raises StoreError when they are not as many."""
        with _watch(stalled) as alive:

            def body() -> Iterator[bytes]:
                left = size
                for chunk in chunks:
                    alive()
                    left -= len(chunk)
                    if left < 0:
                        break
                    yield bytes(chunk)
                if left:
                    raise StoreError(
                        f"POST {self.url}{path}: {size - left} bytes instead of the announced {size}",
                        hint="did the file change while it was sent? run the command again",
                    )

            with self._exchange("POST", path, content=body(), size=size, read=None) as response:
                self._check("POST", path, response)
                return response.status_code

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: Iterator[bytes] | None = None,
        size: int = 0,
        extra: Mapping[str, str] | None = None,
        read: float | None,
        whole: float | None = None,
        total: float | None = None,
    ) -> Iterator[httpx2.Response]:
        """Yield an answer. ``read`` limits the wait for it, ``whole`` what it takes from then on, ``total`` both together."""
        import httpx2

        timeout = httpx2.Timeout(read, connect=self._connect_seconds)
        headers, data = dict(extra or {}), content if body is None else _encoded(body)
        if body is not None:
            headers |= {"Content-Type": "application/json"}
        elif content is not None:
            headers |= {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        began = False
        limit = self._connect_seconds + read if read is not None else total
        with self._connections.within(limit) as deadline:
            trace = {"trace": self._connections.trace(deadline)}
            try:
                with self._client.stream(
                    method, self._base + path, headers=headers, content=data, timeout=timeout, extensions=trace
                ) as response:
                    began = True
                    if total is None:
                        deadline.restart(whole)
                    yield response
                if deadline.expired:  # a body without an announced length just ends when the connection is broken off
                    text = f"did not finish its answer within {deadline.seconds:g} s"
                    raise self._error(method, path, text, hint=_DRIPS)
            except httpx2.HTTPError as error:
                if deadline.expired:
                    text = f"did not finish its answer within {deadline.seconds:g} s"
                    raise self._error(method, path, text, hint=_DRIPS) from error
                raise self._failure(method, path, error, began) from error
            except (httpx2.InvalidURL, UnicodeError) as error:
                raise not_a_url(self.url) from error

    def _check(self, method: str, path: str, response: httpx2.Response) -> None:
        if not 200 <= response.status_code < 300:
            raise self._refusal(method, path, response)
        if "html" in response.headers.get("content-type", ""):
            raise self._error(method, path, "answered with an HTML page", hint=self._not_the_peer)

    def _body(self, method: str, path: str, response: httpx2.Response, limit: int) -> bytes:
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > limit:
                raise self._error(method, path, f"answered with more than {limit} bytes")
        return bytes(data)

    def _object(self, method: str, path: str, response: httpx2.Response, data: bytes) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            kind = response.headers.get("content-type", "") or "no content type"
            raise self._error(method, path, f"did not answer with a JSON object ({kind})", hint=self._not_the_peer)
        return value

    @property
    def _not_the_peer(self) -> str:
        return f"what answers at {self.url} is perhaps no {self._peer}"

    def _refusal(self, method: str, path: str, response: httpx2.Response) -> ServerError:
        """Return the error for a status that is not a success, with what the server says about it."""
        status = response.status_code
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) >= MAX_ERROR:
                break
        text, hint = _server_text(bytes(data)), ""
        if 300 <= status < 400:
            text = f"redirects to {redacted(response.headers.get('location', 'nowhere'))}"
            hint = "use the URL that it redirects to"
        elif "html" in response.headers.get("content-type", "") or text.lstrip()[:1] == "<":
            text, hint = f"{response.reason_phrase} (an HTML page)", self._not_the_peer
        elif status == 403 and not text:
            hint = "a server that listens on this machine only refuses other host names; is there a proxy in between?"
        elif status in {401, 407}:
            hint = "the server wants credentials; put them into its URL (https://user:password@host)"
        return self._error(method, path, text or response.reason_phrase, status=status, hint=hint)

    def _wrong(self, message: str) -> ServerError:
        """Return the error for an answer of which a field is of another type than it should be."""
        return ServerError(message, request=message.partition(": ")[0], hint=self._not_the_peer)

    def _error(self, method: str, path: str, text: str, *, status: int = 0, hint: str = "") -> ServerError:
        request = f"{method} {self.url}{path}"
        message = f"{request}: {status} {text}" if status else f"{request}: the server {text}"
        return ServerError(message, status=status, request=request, text=text, hint=hint)

    def _failure(self, method: str, path: str, error: httpx2.HTTPError, began: bool) -> ServerError:
        """Return the error for an exchange that broke, by what had happened until then."""
        import httpx2

        request, reason = f"{method} {self.url}{path}", str(error) or type(error).__name__
        hint = ""
        if isinstance(error, httpx2.ConnectTimeout):
            message, hint = f"{self.url} did not answer within {self._connect_seconds:g} s", self._absent
        elif isinstance(error, httpx2.ProxyError):
            message = f"the proxy for {self.url} failed: {reason}"
            hint = "HTTP_PROXY, HTTPS_PROXY and NO_PROXY choose it"
        elif isinstance(error, httpx2.ConnectError) and "CERTIFICATE" in reason:
            message = f"the certificate of {self.url} is not trusted: {reason}"
            hint = "SSL_CERT_FILE names a file of certificates to trust"
        elif isinstance(error, httpx2.ConnectError) and "SSL" in reason:
            message, hint = f"{self.url} does not speak TLS: {reason}", "use http:// instead of https://"
        elif isinstance(error, httpx2.ConnectError):
            message, hint = f"no {self._peer} answers at {self.url}: {reason}", self._absent
        elif isinstance(error, httpx2.TimeoutException):
            message = f"{request}: no answer in time"
            hint = "the server is busy or stuck; its log says more"
        else:
            how = "broke in the middle of the answer" if began else "was closed without an answer"
            message = f"{request}: the connection {how}: {reason}"
            hint = "the server was stopped or crashed; its log says more"
        return ServerError(message, request=request, hint=hint)


def _encoded(body: object) -> bytes:
    try:
        return encode(body).encode()
    except (TypeError, ValueError) as error:
        raise UsageError(f"json: {error}") from error


def _server_text(data: bytes) -> str:
    """Return the server's own words: the ``error`` of a JSON answer, else the text."""
    text = data.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text[:1000]
    error = value.get("error", text) if isinstance(value, dict) else text
    if isinstance(error, dict):
        error = error.get("message", text)
    return str(error)[:4000]
