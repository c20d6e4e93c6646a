"""Sending a blob: mounted where another repository has it, else in pieces that can be resumed.

Sources: OCI distribution spec 1.1 (push), distribution 2.8 (sessions and their ``Range``).
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from modelsmith.errors import DigestMismatch, ServerError
from modelsmith.http.wire import FilePart
from modelsmith.manifest import Digest, Layer
from modelsmith.progress import Progress, ProgressSink
from modelsmith.registry.errors import PASSING, refusal
from modelsmith.registry.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from modelsmith.http.response import Response
    from modelsmith.registry.client import Registry
    from modelsmith.registry.download import Budget
    from modelsmith.store.folder import Folder

CHUNK = 128 << 20
_LEAST_CHUNK = 4 << 20
_MAX_NOTE = 64 << 10
_BYTES = {"Content-Type": "application/octet-stream"}


@dataclass(slots=True)
class Uploader:
    """Sends blobs to one repository. ``notes`` is a folder for the sessions that a later run may go on with."""

    registry: Registry
    repository: str
    notes: Folder | None
    budget: Budget
    progress: ProgressSink
    chunk: int = CHUNK

    def mount(self, layer: Layer, repository: str) -> str:
        """Have the registry take a blob over from another repository of it; return "", or the session that it opened instead."""
        return self._open(layer, repository)

    def upload(self, layer: Layer, path: Path, session: str = "") -> None:
        """Send a blob, into ``session`` if one is open already. Raises ServerError, DigestMismatch."""
        retry = Retry(self.budget.limits, self.budget.stop)
        session, place = self._resumed(layer) or (session, 0)
        with path.open("rb") as file:
            while True:
                if not session:
                    session, place = self._open(layer), 0
                before = place
                try:
                    session, place = self._send(layer, file, session, place)
                    self._commit(layer, file, session, place)
                except ServerError as error:
                    session, place = self._after(layer, error, session, before)
                    if place > before:
                        retry.progressed()
                    if error.status == 413 and self.chunk > _LEAST_CHUNK:
                        self.chunk //= 4  # something on the way takes no bodies of this size
                    else:
                        retry.failed(error)
                else:
                    return

    def _scope(self) -> str:
        return f"repository:{self.repository}:pull,push"

    def _open(self, layer: Layer, mount_from: str = "") -> str:
        """Open a session and return its URL; "" where the blob was mounted from another repository instead."""
        url, scope = f"{self.registry.root}/v2/{self.repository}/blobs/uploads/", self._scope()
        if mount_from:
            url += "?" + urlencode({"mount": str(layer.digest), "from": mount_from})
            scope += f" repository:{mount_from}:pull"
        with self.registry.send("POST", url, scope) as response:
            if response.status == 201 and mount_from:
                return ""
            if response.status != 202:
                raise refusal(response, f"POST {url.partition('?')[0]}")
            least = response.headers.get("oci-chunk-min-length", "")
            if least.isdecimal() and len(least) < 12:
                self.chunk = max(self.chunk, int(least))
            session = self._session(url, response.headers)
        if not session:
            raise ServerError(f"POST {url}: the registry does not say where to send blob {layer.digest}")
        return session

    def _send(self, layer: Layer, file: BinaryIO, session: str, place: int) -> tuple[str, int]:
        """Send all but the last piece, which goes with the commit; return the session and how far it has come."""
        while layer.size - place > self.chunk:
            part = FilePart(file, place, self.chunk, self._teller(layer, place))
            headers = {**_BYTES, "Content-Range": f"{place}-{place + self.chunk - 1}"}
            with self._to("PATCH", session, headers, part) as response:
                if response.status not in {201, 202, 204}:
                    raise refusal(response, f"PATCH {session.partition('?')[0]}")
                session = self._session(session, response.headers) or session
            place += self.chunk
            self.budget.sent += self.chunk
            self._note(layer, session)
        return session, place

    def _commit(self, layer: Layer, file: BinaryIO, session: str, place: int) -> None:
        url = session + ("&" if urlsplit(session).query else "?") + urlencode({"digest": str(layer.digest)})
        length = layer.size - place
        headers = dict(_BYTES)
        if place:
            headers["Content-Range"] = f"{place}-{layer.size - 1}"
        part = FilePart(file, place, length, self._teller(layer, place))
        with self._to("PUT", url, headers, part) as response:
            if response.status == 400:
                error = refusal(response, f"PUT {session.partition('?')[0]}")
                if "digest" not in error.text.lower():
                    raise error
                raise DigestMismatch(
                    f"the registry refuses blob {layer.digest}: what was sent is something else ({error.text})",
                    hint="the blob here is damaged: modelsmith store fsck",
                )
            if response.status not in {200, 201, 204}:
                raise refusal(response, f"PUT {session.partition('?')[0]}")
        self.budget.sent += length
        self._forget(layer)

    def _after(self, layer: Layer, error: ServerError, session: str, place: int) -> tuple[str, int]:
        """Return the session and its place after a failure; no session where a new one is needed."""
        if self.budget.stop.is_set() or error.status not in PASSING or not session:
            return "", place
        with suppress(ServerError):
            if (state := self._state(layer, session)) is not None:
                return state
        self._forget(layer)
        return "", place

    def _state(self, layer: Layer, session: str) -> tuple[str, int] | None:
        """Ask how far a session has come; None where it is gone, or says what cannot be."""
        with self._to("GET", session, {}) as response:
            if response.status not in {200, 204}:
                return None
            first, dash, last = response.headers.get("range", "").removeprefix("bytes=").partition("-")
            if not dash or first != "0" or not last.isdecimal() or len(last) > 18:
                return None
            place = int(last) + 1 if int(last) else 0
            if place >= layer.size:
                return None
            return self._session(session, response.headers) or session, place

    @contextmanager
    def _to(
        self, method: str, url: str, headers: Mapping[str, str], body: FilePart | None = None
    ) -> Iterator[Response]:
        """Send to a session: with our login on the registry's own host, without it on another one."""
        seconds = self.budget.limits.commit_seconds if body is not None else None
        if urlsplit(url).netloc == self.registry.host:
            with self.registry.send(method, url, self._scope(), headers, body, seconds) as response:
                yield response
        else:
            with self.registry.elsewhere(method, url, headers, body, seconds) as response:
                yield response

    def _session(self, url: str, headers: Mapping[str, str]) -> str:
        """Return the URL of the session that an answer names; "" where it names none."""
        location = headers.get("docker-upload-location") or headers.get("location", "")
        if not location:
            return ""
        target = urljoin(url, location)
        root = urlsplit(self.registry.root)
        parts = urlsplit(target)
        if parts.netloc == root.netloc and parts.scheme == "http" and root.scheme == "https":
            return parts._replace(scheme="https").geturl()  # a registry that does not know that TLS ends before it
        return target

    def _teller(self, layer: Layer, place: int) -> Callable[[int], None]:
        """Return what hears how much of a piece that begins at ``place`` was sent."""

        def told(done: int) -> None:
            if self.budget.stop.is_set():
                raise ServerError("the transfer was stopped")
            self.progress(Progress(f"pushing {layer.digest.short}", str(layer.digest), place + done, layer.size))

        return told

    def _note_name(self, layer: Layer) -> str:
        key = Digest.of(f"{self.registry.root}/{self.repository}/{layer.digest}".encode())
        return f"upload-{key.hex}.json"

    def _note(self, layer: Layer, session: str) -> None:
        """Keep the session for a later run, for this user alone: its URL may say that one may write."""
        if self.notes is None:
            return
        name = self._note_name(layer)
        temporary = f"{name}.new"  # one that a killed run left is taken over
        with suppress(OSError):  # without a note a later run begins with this blob again
            descriptor = self.notes.new(temporary)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, 0o600)
                json.dump({"session": session}, file)
            self.notes.rename(temporary, self.notes, name)

    def _forget(self, layer: Layer) -> None:
        if self.notes is not None:
            with suppress(OSError):
                self.notes.remove(self._note_name(layer))

    def _resumed(self, layer: Layer) -> tuple[str, int] | None:
        """Return the session of an earlier run that can be gone on with, and its place."""
        if self.notes is None:
            return None
        try:
            descriptor = self.notes.open(self._note_name(layer), os.O_RDONLY)
            with os.fdopen(descriptor, "rb") as file:
                session = json.loads(file.read(_MAX_NOTE)).get("session")
            state = self._state(layer, session) if isinstance(session, str) else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError, ServerError):
            state = None
        if state is None:
            self._forget(layer)
        return state
