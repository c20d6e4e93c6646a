"""One file on a web server, read in ranges: redirects followed, servers without ranges borne with.

Source: RFC 9110, 14 (ranges) and 15.4 (redirects).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from modelsmith.errors import ServerError, UsageError
from modelsmith.http.client import HttpClient
from modelsmith.http.urls import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.http.client import Answer

MAX_REDIRECTS = 8
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d{1,18}|\*)")
_HUB = "https://huggingface.co"


class WebFile:
    """Reads a file at an offset. A token of the hub (HF_TOKEN) is sent to the hub alone, never where it redirects to."""

    def __init__(self, url: str, *, environment: Mapping[str, str] = os.environ) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise UsageError(f"{redacted(url)} is no http or https URL", hint="name a file, a model or a URL")
        self.name = redacted(url)
        self.size = 0
        self.fetched = 0
        self.requests = 0
        self._url = url
        self._tag = ""
        self._clients: dict[str, HttpClient] = {}
        self._hub = environment.get("HF_ENDPOINT", "").rstrip("/") or _HUB
        self._token = environment.get("HF_TOKEN", "").strip()

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def read(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, fewer only where the file ends; raises ServerError."""
        answer = self._ask(start, length)
        if answer.status == 206:
            body = self._part(answer, start)
        elif answer.status == 416:
            body = self._nothing(answer, start)
        else:  # the server knows no ranges: what comes before is thrown away
            is_page = "html" in answer.headers.get("content-type", "")
            size = _number(answer.headers.get("content-length"))
            self._know(len(answer.body) if size is None and is_page else size, answer)
            body = answer.body[start:]
        if len(body) < min(length, self.size - start):
            raise self._odd(f"sent {len(body)} bytes from byte {start} on instead of {length}")
        return body[:length]

    def _part(self, answer: Answer, start: int) -> bytes:
        text = answer.headers.get("content-range", "")
        match = _CONTENT_RANGE.fullmatch(text.strip())
        if not match or match[1] is None or int(match[1]) != start:
            raise self._odd(f"answered for the range from byte {start} on with {text[:80]!r}")
        self._know(_number(match[3]), answer)
        return answer.body

    def _nothing(self, answer: Answer, start: int) -> bytes:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        size = _number(match[3]) if match else None
        if start or size:
            raise self._odd(f"has no byte {start} of the file, of which it said that it has {size or self.size}")
        return b""

    def _know(self, size: int | None, answer: Answer) -> None:
        if size is None:
            raise self._odd("does not say how large the file is", "download the file and look at it here")
        tag = answer.headers.get("etag", "")
        if self.size and (size != self.size or tag != self._tag):
            raise self._odd("has another file there now", "run the command again")
        self.size, self._tag = size, tag

    def _ask(self, start: int, length: int) -> Answer:
        url = self._url
        for _ in range(MAX_REDIRECTS):
            parts = urlsplit(url)
            root = f"{parts.scheme}://{parts.netloc}"
            client = self._clients.setdefault(root, HttpClient(root, peer="web server"))
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Range": f"bytes={start}-{start + length - 1}"}
            if self._token and root == self._hub:
                headers["Authorization"] = f"Bearer {self._token}"
            # without ranges the file comes from its start
            answer = client.fetch(path, headers, start + length)
            self.requests += 1
            self.fetched += len(answer.body) if answer.status not in _REDIRECTS else 0
            if answer.status not in _REDIRECTS:
                return answer
            target = urljoin(url, answer.headers.get("location", ""))
            if parts.scheme == "https" and urlsplit(target).scheme != "https":
                raise self._odd(f"redirects from https to {redacted(target)[:200]}")
            url = target
        raise self._odd(f"redirects more than {MAX_REDIRECTS} times")

    def _odd(self, text: str, hint: str = "") -> ServerError:
        return ServerError(f"{self.name}: the server {text}", request=f"GET {self.name}", text=text, hint=hint)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 else None
