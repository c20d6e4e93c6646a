"""One type for everything that can be wrong with a text, and the fix it may carry."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.source import Edit, Span


class Severity(StrEnum):
    """How bad it is: an ``ERROR`` will not work, a ``WARNING`` works otherwise than it looks, ``INFO`` is advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that solve a diagnostic; ``safe`` when meaning and comments stay exactly as they are."""

    message: str
    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something wrong at a place: ``code`` is a kebab-case name, ``hint`` the way out."""

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    hint: str = ""
    fix: Fix | None = None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the closest of the known words, or an empty text.

    A misspelled word nearly always keeps its first letter; one that does not has to be much alike: ``push`` is no ``inputs``.
    """
    folded = {name.casefold(): name for name in known}
    import difflib

    wrong = word.casefold()
    alike = difflib.get_close_matches(wrong, folded, n=3, cutoff=0.6)
    sure = difflib.get_close_matches(wrong, alike, n=3, cutoff=0.75)
    close = next((candidate for candidate in alike if candidate[:1] == wrong[:1] or candidate in sure), "")
    return f'; did you mean "{folded[close]}"?' if close else ""
