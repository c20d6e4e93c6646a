"""What registries say when they refuse something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, ServerError

if TYPE_CHECKING:
    from modelsmith.http.response import Response

_MAX_ERROR = 64 << 10
PASSING = frozenset((0, 408, 425, 429, 500, 502, 503, 504))
"""Statuses that may be another one the next time; 0 is a connection that broke."""


def refusal(response: Response, request: str) -> ServerError:
    """Return the error for a status that is not a success, with the registry's own words."""
    try:
        text = _words(response.read(_MAX_ERROR))
    except ModelsmithError:  # the status says enough
        text = ""
    status, hint = response.status, ""
    if status == 400 and not text and response.url.startswith("http:"):
        hint = "if the registry speaks TLS, leave --insecure out"
    elif status == 403:
        hint = "the login is right, and this user may not do that; ask who runs the registry"
    elif status == 429:
        hint = "too many requests; try again later, or log in: modelsmith login HOST"
    elif status >= 500:
        hint = "the registry has a problem; its log says more"
    return ServerError(f"{request}: {status} {text}".rstrip(), status=status, request=request, text=text, hint=hint)


def _words(data: bytes) -> str:
    """Return the message of an error in the way of the OCI distribution protocol, else the text."""
    text = data.decode("utf-8", "replace").strip()
    try:
        first = json.loads(text)["errors"][0]
        said = f"{first.get('code', '')} {first.get('message', '')}".strip()
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        said = "" if text.startswith("<") else text
    return " ".join(said.split())[:300]
