"""Creating a model on a server: every blob is asked for before it is sent, errors may come as the last line of a stream.

A server that has a blob answers its POST before it reads the body, and the client sees a reset connection; so HEAD comes
first, and a reset is checked by another HEAD. Sources: Ollama ``server/routes.go`` (CreateBlobHandler, streamResponse),
``server/create.go``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelsmith.errors import (
    DigestMismatch,
    InvalidModelName,
    ModelNotFound,
    ModelsmithError,
    ServerError,
    StoreError,
    TemplateSyntaxError,
)
from modelsmith.progress import Progress, ProgressSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.http.client import HttpClient
    from modelsmith.manifest import Digest
    from modelsmith.store.model import BlobSource, CreateRequest


def sources(request: CreateRequest) -> Iterator[BlobSource]:
    """Yield every source of bytes of a request."""
    for group in (request.files, request.draft_files, request.adapters):
        yield from group.values()


def has_blob(http: HttpClient, digest: Digest) -> bool:
    """Ask whether the server has a blob."""
    path = f"/api/blobs/{digest}"
    status = http.status(path)
    if status not in {200, 404}:
        raise ServerError(
            f"HEAD {http.url}{path}: {status}, where 200 or 404 was expected",
            status=status,
            request=f"HEAD {http.url}{path}",
            hint=f"is {http.url} an Ollama server, and does every proxy in between let HEAD through?",
        )
    return status == 200


def upload(http: HttpClient, source: BlobSource, progress: ProgressSink) -> None:
    """Send one blob unless the server has it."""
    digest = source.digest(progress)
    if has_blob(http, digest):
        progress(Progress("already on the server", str(digest), source.size, source.size))
        return
    sent = 0

    def chunks() -> Iterator[bytes | memoryview]:
        nonlocal sent
        for chunk in source.chunks():
            yield chunk
            sent += len(chunk)
            progress(Progress("uploading", str(digest), sent, source.size))

    def stalled(seconds: float) -> None:
        progress(Progress(f"uploading: no progress for {seconds:.0f} s", str(digest), sent, source.size))

    try:
        http.upload(f"/api/blobs/{digest}", chunks(), source.size, stalled=stalled)
    except OSError as error:
        raise StoreError(f"{source.path} cannot be read: {error}") from error
    except ServerError as error:
        if "digest mismatch" in error.text:
            raise DigestMismatch(
                f"{source.path} changed while it was sent: {error.text}", hint="run the command again"
            ) from error
        if error.status or not _arrived(http, digest):
            raise


def _arrived(http: HttpClient, digest: Digest) -> bool:
    try:
        return has_blob(http, digest)
    except ServerError:
        return False


def create(http: HttpClient, body: dict[str, Any], progress: ProgressSink) -> None:
    """Run ``/api/create`` to its end; raises what the server reports, also in the middle of the stream."""
    status = refused = ""

    def stalled(seconds: float) -> None:
        progress(Progress(f"{status or 'waiting for the server'}: no news for {seconds:.0f} s"))

    try:
        for line in http.lines("POST", "/api/create", body, stalled=stalled):
            if refused := str(line.get("error", "")):
                break
            said = http.read("POST", "/api/create", line)
            status = said.text("status")
            progress(Progress(status, said.text("digest"), said.count("completed"), said.count("total")))
    except ServerError as error:
        raise refusal(error, http.url, body) from error
    if refused:
        request = f"POST {http.url}/api/create"
        raise refusal(ServerError(f"{request}: {refused}", request=request, text=refused), http.url, body)
    if status != "success":
        raise ServerError(
            f"POST {http.url}/api/create: the stream ended after {status or 'nothing'!r}, without success or error",
            request=f"POST {http.url}/api/create",
            hint="the server was stopped or crashed; its log says more, and the command can be run again",
        )


def refusal(error: ServerError, url: str, body: Mapping[str, Any]) -> ModelsmithError:
    """Return the error of the house for what a server says when it refuses to create a model."""
    text, base = error.text, body.get("from")
    if text.startswith("template error: "):
        found = re.search(r"template: [^:]*:(\d+):", text)
        return TemplateSyntaxError(f"{url} refuses the template: {text}", line=int(found[1]) if found else None)
    if text.startswith("pull model manifest:"):
        return ModelNotFound(f"{base} is not on {url}, and the server could not pull it: {text}")
    if text == "invalid model name":
        names = " or ".join(repr(name) for name in (body["model"], base) if name)
        return InvalidModelName(f"{url} does not accept {names} as the name of a model")
    if not error.hint and "llama-quantize" in text:
        error.hint = "the server's llama.cpp does not accept this GGUF, or is missing"
    return error
