"""One registry: manifests and blobs by the OCI distribution protocol, as Ollama's registry speaks it too.

Sources: OCI distribution spec 1.1; Ollama ``server/images.go``, ``server/download.go``, ``server/upload.go``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from modelsmith.errors import BlobNotFound, DigestMismatch, ModelNotFound, ServerError
from modelsmith.http.addresses import Reach, check_redirect, reach
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest
from modelsmith.registry.documents import ACCEPTED, Document
from modelsmith.registry.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.http.response import Response
    from modelsmith.http.wire import FilePart, Wire
    from modelsmith.registry.auth import Authenticator
    from modelsmith.registry.reference import Reference

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_MAX_LOCATION = 16 << 10


class Registry:
    """A registry at ``root`` (``https://host[:port]``). Safe to use from many threads."""

    def __init__(self, root: str, wire: Wire, who: Authenticator) -> None:
        self.root = root
        self.wire = wire
        self._who = who
        self._reach: Reach | None = None

    @property
    def host(self) -> str:
        """``host[:port]``."""
        return urlsplit(self.root).netloc

    def check_login(self) -> None:
        """Ask whether we are let in; raises ServerError (status 401) where not."""
        with self.send("GET", f"{self.root}/v2/", "") as response:
            if response.status == 404:
                raise ServerError(
                    f"{self.host} is no registry of the OCI kind: GET /v2/ is not found",
                    status=404,
                    hint="for Ollama's own registry there is no login: it knows users by their key, see docs/registries.md",
                )
            if response.status != 200:
                raise refusal(response, f"GET {self.root}/v2/")

    def manifest(self, reference: Reference) -> Document:
        """Fetch a manifest; raises ModelNotFound, DigestMismatch where it is not what was pinned."""
        what = str(reference.digest or reference.tag)
        url = f"{self.root}/v2/{reference.repository}/manifests/{what}"
        with self.send("GET", url, f"repository:{reference.repository}:pull", {"Accept": ACCEPTED}) as first:
            response = first
            if response.status == 404:
                raise ModelNotFound(
                    f"{self.host} has no model {reference.repository}:{what}", hint="check its name and its tag"
                )
            if response.status != 200:
                raise refusal(response, f"GET {url}")
            data = response.read(MAX_MANIFEST_BYTES)
            media_type = response.headers.get("content-type", "").partition(";")[0].strip()
            said = response.headers.get("docker-content-digest", "")
        document = Document(data, media_type)
        if reference.digest is not None and document.digest != reference.digest:
            raise DigestMismatch(
                f"{self.host} sent a manifest with the digest {document.digest} for {reference}",
                hint="it is not what was pinned; nothing was written",
            )
        if said.startswith("sha256:") and said != str(document.digest):
            raise DigestMismatch(
                f"{self.host} says that the manifest of {reference} is {said:.80}, and sent {document.digest}",
                hint="the answer was changed on the way, perhaps by a proxy",
            )
        return document

    def has_blob(self, repository: str, digest: Digest, *, write: bool = False) -> bool:
        """Whether a blob is there."""
        url = f"{self.root}/v2/{repository}/blobs/{digest}"
        scope = f"repository:{repository}:{'pull,push' if write else 'pull'}"
        with self.send("HEAD", url, scope) as response:
            if response.status in _REDIRECTS or response.status == 200:
                return True
            if response.status == 404:
                return False
            raise refusal(response, f"HEAD {url}")

    def blob_url(self, repository: str, digest: Digest) -> str:
        """Return where the bytes of a blob come from in the end: where the registry redirects to, or its own URL."""
        url = f"{self.root}/v2/{repository}/blobs/{digest}"
        with self.blob(repository, digest, 0, 1) as response:
            return response.url or url

    @contextmanager
    def blob(self, repository: str, digest: Digest, start: int, end: int) -> Iterator[Response]:
        """Hand out bytes ``start`` to ``end`` of a blob: status 206, or 200 with all of it where ranges are not known."""
        url = f"{self.root}/v2/{repository}/blobs/{digest}"
        headers = {"Range": f"bytes={start}-{end - 1}"}
        with self.send("GET", url, f"repository:{repository}:pull", headers) as first:
            if first.status not in _REDIRECTS:
                yield self._part(first, url, digest, start, end)
                return
            target = self._target(url, first)
        for _ in range(_MAX_REDIRECTS):
            # a login is for the registry; where it sends us for the bytes, the URL itself says that we may
            with self.wire.exchange("GET", target, headers, check=self._check) as response:
                if response.status not in _REDIRECTS:
                    yield self._part(response, target, digest, start, end)
                    return
                target = self._target(target, response)
        raise ServerError(f"GET {url}: the registry redirects more than {_MAX_REDIRECTS} times")

    def _part(self, response: Response, url: str, digest: Digest, start: int, end: int) -> Response:
        if response.status == 404:
            raise BlobNotFound(
                f"{urlsplit(url).netloc} does not have blob {digest}", hint="its model is damaged; push it again"
            )
        if response.status == 206:
            said = response.headers.get("content-range", "")
            if not said.startswith(f"bytes {start}-{end - 1}/"):
                raise ServerError(f"GET {url}: bytes {start}-{end - 1} were wanted, the answer has {said!r:.60}")
        elif response.status != 200:
            raise refusal(response, f"GET {url}")
        return response

    def _target(self, url: str, response: Response) -> str:
        location = response.headers.get("location", "")
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            well_formed = bool(parts.hostname) and parts.port != 0 and location.isascii() and location.isprintable()
        except ValueError:
            well_formed = False
        if not location or len(location) > _MAX_LOCATION or not well_formed:
            raise ServerError(f"GET {url}: the registry redirects to {location!r:.100}, which is no URL")
        if parts.scheme not in {"http", "https"}:
            raise ServerError(f"GET {url}: the registry redirects to a {parts.scheme:.20} URL: refused")
        if self.root.startswith("https:") and parts.scheme == "http":
            raise ServerError(f"GET {url}: the registry redirects from https to plain http: refused")
        return target

    def _check(self, host: str, addresses: tuple[str, ...]) -> None:
        if self._reach is None:
            own = urlsplit(self.root)
            known = self.wire.addresses(own.hostname or "", own.port or 443)
            self._reach = max(map(reach, known))
        check_redirect(host, addresses, self._reach)

    def put_manifest(self, reference: Reference, document: Document) -> None:
        """Store a manifest under the reference's tag (the last step of a push)."""
        url = f"{self.root}/v2/{reference.repository}/manifests/{reference.tag}"
        scope = f"repository:{reference.repository}:pull,push"
        with self.send("PUT", url, scope, {"Content-Type": document.media_type}, document.data) as response:
            if response.status not in {200, 201, 202, 204}:
                raise refusal(response, f"PUT {url}")

    def has_manifest(self, reference: Reference, document: Document) -> bool:
        """Whether the tag names exactly this manifest already."""
        url = f"{self.root}/v2/{reference.repository}/manifests/{reference.tag}"
        scope = f"repository:{reference.repository}:pull,push"
        with self.send("HEAD", url, scope, {"Accept": document.media_type}) as response:
            said = response.headers.get("docker-content-digest", "")
            return response.status == 200 and said == str(document.digest)

    @contextmanager
    def elsewhere(
        self, method: str, url: str, headers: Mapping[str, str], body: FilePart | None, seconds: float | None
    ) -> Iterator[Response]:
        """Send to where the registry told us to, on another host: without our login, and only where that is allowed."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or (self.root.startswith("https:") and parts.scheme == "http"):
            raise ServerError(f"{method} {url:.200}: the registry wants the blob sent there: refused")
        with self.wire.exchange(method, url, headers, body, check=self._check, seconds=seconds) as response:
            yield response

    @contextmanager
    def send(
        self,
        method: str,
        url: str,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | FilePart | None = None,
        seconds: float | None = None,
    ) -> Iterator[Response]:
        """Send a request of ours to the registry's own host, with what it wants to know about us; 401 is asked once more."""
        if urlsplit(url).netloc != self.host or urlsplit(url).scheme != urlsplit(self.root).scheme:
            raise ServerError(f"{method} {url:.200}: that is not {self.root}; a login is not sent there")
        known = self._who.header(scope)
        for last in (False, True):
            extra = {"Authorization": known} if known else {}
            with self.wire.exchange(method, url, {**(headers or {}), **extra}, body, seconds=seconds) as response:
                if response.status != 401:
                    yield response
                    return
                if last:
                    raise self._who.denied()
                challenge = response.headers
            known = self._who.answer(challenge, scope, known)
