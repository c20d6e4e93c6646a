"""Keys of servers: sent, and never shown."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MASK = "***"
_IN_URL = re.compile(r"(?<=://)[^/?#\s]*@")
_OPTION = re.compile(r"--?[\w-]*(?:key|token|password|secret)", re.IGNORECASE)


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


def masked_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command line without user names and passwords in URLs, and without values of keys and tokens."""
    shown, is_value = [], False
    for word in arguments:
        option, equals, _ = word.partition("=")
        if is_value:
            shown.append(MASK)
        elif equals and _OPTION.fullmatch(option):
            shown.append(f"{option}={MASK}")
        else:
            shown.append(_IN_URL.sub(f"{MASK}@", word))
        is_value = not is_value and not equals and _OPTION.fullmatch(word) is not None
    return shown
