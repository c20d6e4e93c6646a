"""What a request says about thinking, and conditions on it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from modelsmith.errors import InjectionError

Think: TypeAlias = bool | str | None

THINKS: tuple[Think, ...] = (None, True, False)
"""What a proof asks every conversation with: unset, on and off."""
THINK_WORDS: dict[Think, str] = {None: "unset", True: "true", False: "false"}


class When(StrEnum):
    """For which requests: all, all but those that say ``think: false``, or only those."""

    ALWAYS = "always"
    THINKING = "thinking"
    NOT_THINKING = "not-thinking"

    @classmethod
    def of(cls, word: str) -> When:
        """Return the member of this name; raises InjectionError for any other word."""
        try:
            return cls(word)
        except ValueError:
            known = ", ".join(f'"{member}"' for member in cls)
            raise InjectionError(f'"{word}" is no condition for an injection', hint=f"use one of {known}") from None

    def holds(self, think: Think) -> bool:
        """Say whether a request with this ``think`` is meant."""
        return self is When.ALWAYS or (think is False) == (self is When.NOT_THINKING)
