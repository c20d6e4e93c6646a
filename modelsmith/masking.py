"""Secrets in texts that are shown, logged or written down: found by their shape, replaced by ``***``.

Sources: the prefixes that services document for their tokens (Hugging Face, GitHub, GitLab, OpenAI, Anthropic, Slack, AWS, npm,
Docker), RFC 7519 (JSON Web Tokens), RFC 6750 (Bearer), RFC 3986 (user information in URLs).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK = "***"

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|sk-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|npm_[A-Za-z0-9]{20,}|dckr_pat_[A-Za-z0-9_-]{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"
)
_LOGIN = re.compile(r"(?<=//)[^/?#\s@'\"]+:[^/?#\s'\"]*@|(?<=//)[^/?#\s@'\"]{12,}@")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_SPOKEN = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9+/=._~-]{8,}")
_NAMED = re.compile(
    r"(?i)((?:[a-z0-9_]+[_-])?(?:token|secret|passwo?r?d|passphrase|api[_-]?key|access[_-]?key|credentials?|auth)"
    r"(?:\"|')?(?:=|:\s?))(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_NAMED_OPTION = re.compile(r"(?i)--?[\w-]*(?:key|token|secret|password|passphrase|credentials?)")


def masked(text: str) -> str:
    """Return a text whose tokens of known services, and logins in URLs, are ``***``: for messages, which quote what was given."""
    text = _TOKEN.sub(MASK, text)
    text = _LOGIN.sub(f"{MASK}@", text)
    return _SPOKEN.sub(rf"\1\2{MASK}", text)


def masked_log(text: str) -> str:
    """Return a text like ``masked``, without the values of names that say what they are, too: for files that are passed on."""
    return _NAMED.sub(rf"\1{MASK}", masked(text))


def masked_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command line without secrets, also where one follows an option that names it."""
    shown: list[str] = []
    is_value = False
    for word in arguments:
        option, equals, _ = word.partition("=")
        named = _NAMED_OPTION.fullmatch(option) is not None
        shown.append(
            MASK if is_value else f"{option}={MASK}" if equals and named else _USER.sub(f"{MASK}@", masked_log(word))
        )
        is_value = named and not equals and not is_value
    return shown


def looks_secret(text: str) -> bool:
    """Say whether a text holds what looks like a token or a login."""
    return any(pattern.search(text) for pattern in (_TOKEN, _LOGIN, _SPOKEN))
