"""Sending a blob in the dialect of Ollama's registry: each part is redirected to where it is stored.

A part is offered by ``PATCH``; the answer 307 names the URL that takes it by ``PUT``, without a login, and the next session. The
commit names the MD5 of the parts' MD5s, as S3 does. Source: Ollama ``server/upload.go``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from modelsmith.errors import ServerError
from modelsmith.http.wire import FilePart
from modelsmith.registry.errors import refusal
from modelsmith.registry.upload import Uploader

if TYPE_CHECKING:
    from modelsmith.manifest import Layer

_PARTS, _LEAST, _MOST = 16, 100_000_000, 1_000_000_000
_READ = 1 << 20


@dataclass(slots=True)
class OllamaUploader(Uploader):
    """An uploader for Ollama's registry; its sessions are not gone on with by later runs."""

    _sums: list[bytes] = field(default_factory=list)

    def _send(self, layer: Layer, file: BinaryIO, session: str, place: int) -> tuple[str, int]:
        self._sums = []
        step = min(max(layer.size // _PARTS, _LEAST), _MOST)
        for start in range(place, max(layer.size, 1), step):
            length = min(step, layer.size - start)
            self._sums.append(_md5(file, start, length))
            session = self._part(FilePart(file, start, length, self._teller(layer, start)), session)
        return session, layer.size

    def _part(self, part: FilePart, session: str) -> str:
        """Send one part and return the next session."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{part.start}-{part.start + part.length - 1}",
            "X-Redirect-Uploads": "1",
        }
        with self._to("PATCH", session, headers, part) as response:
            following = self._session(session, response.headers)
            if response.status in {201, 202, 204}:
                self.budget.sent += part.length
                return following or session
            if response.status != 307:
                raise refusal(response, f"PATCH {session.partition('?')[0]}")
            target = urljoin(session, response.headers.get("location", ""))
        with self.registry.elsewhere("PUT", target, {}, part, self.budget.limits.commit_seconds) as response:
            if response.status not in {200, 201, 204}:
                raise refusal(response, f"PUT {target.partition('?')[0]}")
        self.budget.sent += part.length
        if not following or following == target:
            raise ServerError(f"PATCH {session.partition('?')[0]}: the registry does not say how to go on")
        return following

    def _commit(self, layer: Layer, file: BinaryIO, session: str, place: int) -> None:
        del file, place
        total = hashlib.md5(b"".join(self._sums), usedforsecurity=False).hexdigest()
        query = urlencode({"digest": str(layer.digest), "etag": f"{total}-{len(self._sums)}"})
        url = f"{session}{'&' if urlsplit(session).query else '?'}{query}"
        seconds = self.budget.limits.commit_seconds
        with self.registry.send("PUT", url, self._scope(), {}, b"", seconds) as response:
            if response.status not in {200, 201, 204}:
                raise refusal(response, f"PUT {session.partition('?')[0]}")


def _md5(file: BinaryIO, start: int, length: int) -> bytes:
    """Return the MD5 of a part, by which S3 knows it."""
    found = hashlib.md5(usedforsecurity=False)
    file.seek(start)
    while length and (data := file.read(min(length, _READ))):
        found.update(data)
        length -= len(data)
    return found.digest()
