"""The start of an answer and its body, read into buffers; short, slow and endless ones are errors."""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelsmith.errors import ServerError
from modelsmith.http.urls import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

_LITTLE = 64 << 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take: to connect, to send anything, to answer a small question; and how slow a body may be."""

    connect_seconds: float = 10.0
    stall_seconds: float = 30.0
    answer_seconds: float = 60.0
    commit_seconds: float = 600.0  # what was uploaded may be hashed and moved before it is answered for
    least_rate: int = 1024  # bytes a second, over ``rate_seconds``
    rate_seconds: float = 60.0
    tries: int = 6
    pause_seconds: float = 1.0  # before the second try; doubled each time


class Response:
    """The start of an answer, and its body to be read. ``rest`` is what is left of it, None where that is not known."""

    def __init__(self, url: str, answer: http.client.HTTPResponse, limits: Limits) -> None:
        self.url = url
        self.status = answer.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in answer.getheaders()}
        self.rest: int | None = None if answer.chunked else answer.length
        self._answer = answer
        self._limits = limits
        self._window = (time.monotonic(), 0)

    def finish(self) -> bool:
        """Read what little may be left; tell whether the connection can be used again."""
        if not self._answer.isclosed() and self.rest is not None and self.rest <= _LITTLE:
            try:
                while self.rest and self._readinto(memoryview(bytearray(self.rest))):
                    pass
            except (OSError, http.client.HTTPException, ValueError):
                return False
        if self.rest == 0:
            self._answer.close()
        return self._answer.isclosed()

    def close(self) -> None:
        """Let go of the body, read or not."""
        self._answer.close()

    def readinto(self, buffer: memoryview) -> int:
        """Read what is there, at least one byte; 0 at the end. Raises ServerError for short and for slow bodies."""
        try:
            count = self._readinto(buffer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise broken(self.url, error) from error
        if count == 0 and self.rest:
            raise ServerError(f"GET {redacted(self.url)}: the body ended {self.rest} bytes too early")
        self._check_rate(count)
        return count

    def _readinto(self, buffer: memoryview) -> int:
        if self.rest is None:
            data = self._answer.read1(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        count = self._answer.fp.readinto1(buffer[: self.rest]) if self.rest else 0
        self.rest -= count
        return count

    def _check_rate(self, count: int) -> None:
        began, moved = self._window
        elapsed = time.monotonic() - began
        if elapsed < self._limits.rate_seconds:
            self._window = (began, moved + count)
            return
        if moved + count < self._limits.least_rate * elapsed:
            raise ServerError(
                f"GET {redacted(self.url)}: only {moved + count} bytes came in {elapsed:.0f} s",
                hint="the server is stuck or slow on purpose; try again later, or another mirror",
            )
        self._window = (time.monotonic(), 0)

    def read(self, limit: int) -> bytes:
        """Return the whole body; raises ServerError where it is longer than ``limit``, or takes too long as a whole."""
        until = time.monotonic() + self._limits.answer_seconds
        data, buffer = bytearray(), memoryview(bytearray(min(limit + 1, 1 << 16)))
        while count := self.readinto(buffer):
            data += buffer[:count]
            if time.monotonic() > until:
                raise ServerError(
                    f"GET {redacted(self.url)}: only {len(data)} bytes came in {self._limits.answer_seconds:.0f} s",
                    hint="the server is stuck or slow on purpose; try again later, or another mirror",
                )
            if len(data) > limit:
                raise ServerError(
                    f"GET {redacted(self.url)}: the answer is larger than {limit} bytes",
                    hint="no honest registry sends that",
                )
        return bytes(data)


def broken(url: str, error: Exception, method: str = "GET") -> ServerError:
    """Return the error for an exchange that did not work, with the way out where there is one."""
    request, reason = f"{method} {redacted(url)}", str(error) or type(error).__name__
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the certificate of {where} is not trusted: {error.verify_message}"
        hint = "--ca-file FILE names the certificate to trust"
    elif isinstance(error, ssl.SSLError):
        text = f"{where} does not speak TLS: {error.reason or reason}"
        hint = "a registry without TLS is used with --insecure (plain http: anybody on the way can read and change it)"
    elif isinstance(error, ConnectionRefusedError):
        text, hint = f"no registry answers at {where}: {reason}", "check its address, and whether it runs"
    elif isinstance(error, TimeoutError):
        text, hint = f"{request}: no answer in time", "the server is busy or stuck; run the command again to go on"
    elif isinstance(error, http.client.HTTPException):
        text, hint = f"{request}: the answer is no HTTP: {reason[:200]}", f"what answers at {where} is no registry"
    else:
        text, hint = f"{request}: the connection broke: {reason}", "run the command again; what is there is kept"
    return ServerError(text, request=request, hint=hint)
