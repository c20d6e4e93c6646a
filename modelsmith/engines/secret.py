"""Keys of servers: sent, and never shown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.errors import ServerError
from modelsmith.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def masked(*secrets: str) -> Iterator[None]:
    """Keep secrets out of what a server says: some repeat the key that they refuse."""
    try:
        yield
    except ServerError as error:
        raise ServerError(
            mask(error.message, *secrets),
            status=error.status,
            request=mask(error.request, *secrets),
            text=mask(error.text, *secrets),
            hint=mask(error.hint, *secrets),
        ) from None


def mask(text: str, *secrets: str) -> str:
    """Return a text without these secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return text
