"""Versions of Ollama, and since which one it does what.

Source: Ollama's release tags, each fact read in the first tag that has it. A release candidate counts as its release.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHAPE = regex(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_COMMITS_SINCE = regex(r"(?:-\d{1,9}-g[0-9a-f]{4,40})?(?:-dirty)?\Z")
"""What ``git describe`` puts behind a tag: how many commits later, which one, and whether it was changed."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of Ollama; release candidates sort before their release."""

    major: int
    minor: int
    patch: int
    is_release: bool = True
    candidate: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Return the version that ``0.30``, ``v0.12.4``, ``0.33.0-rc2`` or ``0.33.0-5-gabcdef0`` names.

        Raises UsageError for anything else.
        """
        match = _SHAPE.fullmatch(_COMMITS_SINCE.sub("", text.strip()))
        if match is None:
            raise UsageError(
                f'"{text}" is not a version of Ollama', hint="write it like 0.30.0; `ollama --version` prints it"
            )
        major, minor, patch = (int(part or 0) for part in match.group(1, 2, 3))
        return cls(major, minor, patch, match[4] is None, _candidate(match[4] or ""))

    def has(self, since: str) -> bool:
        """Say whether what came in version ``since`` is in this one; a candidate of that version has it too."""
        other = Version.parse(since)
        return (self.major, self.minor, self.patch) >= (other.major, other.minor, other.patch)

    def __str__(self) -> str:
        name = f"{self.major}.{self.minor}.{self.patch}"
        return (
            name
            if self.is_release
            else name + "-" + ".".join(f"{word}{number or ''}" for word, number in self.candidate)
        )


def _candidate(text: str) -> tuple[tuple[str, int], ...]:
    """Split ``rc10`` into a word and a number, so that it sorts after ``rc2``."""
    return tuple((word, int(number or 0)) for word, number in re.findall(r"([^\d.]*)(\d*)", text) if word or number)


NEWEST = Version(0, 33, 0)
"""The version whose rules apply where none is named."""


def resolve(version: str | Version | None) -> Version:
    """Return the version meant: a text is parsed, None is the newest that these rules were read from.

    0.0.0 is the newest too: an Ollama that was built from its sources calls itself so.
    """
    if version is None:
        return NEWEST
    found = Version.parse(version) if isinstance(version, str) else version
    return found if (found.major, found.minor, found.patch) > (0, 0, 0) else NEWEST


def of_server(answer: str | None) -> str | None:
    """Return the version that a server's answer means: what cannot be read (a branch, a commit) is the newest.

    None, where no server is there to ask, stays None.
    """
    try:
        return None if answer is None else str(resolve(answer))
    except UsageError:
        return str(NEWEST)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something Ollama does since a version."""

    since: str
    text: str


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "thinking": Fact("0.9.0", "the `think` field, .Think, .IsThinkSet, .Thinking, inferred tags, message.thinking"),
        "think-levels": Fact("0.11.0", "think levels low, medium and high, .ThinkLevel, the function currentDate"),
        "harmony": Fact("0.11.0", "gpt-oss answers are read as harmony"),
        "typescript-types": Fact("0.11.3", "the template function toTypeScriptType"),
        "primed-chat": Fact("0.11.7", "/api/chat sees that a prompt ends with the opening tag"),
        "renderer-parser": Fact("0.12.0", "RENDERER and PARSER; /api/generate is primed too"),
        "think-by-default": Fact("0.12.4", "`think` unset means true for a model that can think"),
        "think-false-anywhere": Fact("0.12.5", "`think: false` is accepted by models that cannot think"),
        "yesterday": Fact("0.13.3", "the template function yesterdayDate"),
        "template-types": Fact(
            "0.14.0", "tools and messages reach templates as their own types; use `json` to print them"
        ),
        "levels-anywhere": Fact("0.17.7", "think levels are accepted by every model that can think"),
        "think-max": Fact("0.22.0", "the think level max"),
        "native-jinja": Fact(
            "0.30.0", "the Jinja template in the GGUF may replace the Go TEMPLATE; imports are rewritten"
        ),
        "native-generate": Fact(
            "0.30.11", "/api/generate uses the Jinja template too; equal capabilities: round trips decide"
        ),
    }
)
