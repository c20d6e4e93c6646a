"""Text with places in it: spans, edits, and the line and column a person reads.

Offsets count code points from 0. Lines and columns are computed once, when something is printed.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE_END = regex(r"\r\n|\r|\n")


def spelled(char: str) -> str:
    r"""Return how a character that must not reach a terminal is written: ``\x1b``, ``\u2028``, ``\U000e0001``.

    A byte that could not be decoded, which Python keeps as a surrogate, is written as that byte: ``\x89``.
    """
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The half-open range ``[start, end)`` of code points in a text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"span [{self.start}, {self.end}) is not a range")

    def of(self, text: str) -> str:
        """Return the part of ``text`` that this span covers."""
        return text[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """Return this span moved by ``offset``, as needed when its text is embedded in a larger one."""
        return Span(self.start + offset, self.end + offset)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what ``span`` covers by ``text``; an empty span inserts, an empty text deletes."""

    span: Span
    text: str

    @classmethod
    def insert(cls, offset: int, text: str) -> Edit:
        """Return the edit that puts ``text`` before the code point at ``offset``."""
        return cls(Span(offset, offset), text)

    @classmethod
    def delete(cls, span: Span) -> Edit:
        """Return the edit that removes what ``span`` covers."""
        return cls(span, "")


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return ``text`` with all edits spliced in at once.

    Insertions at one place keep their order. Raises ValueError when two edits overlap or one lies outside the text.
    """
    ordered = sorted(edits, key=lambda edit: edit.span)
    parts: list[str] = []
    position = 0
    for edit in ordered:
        if edit.span.start < position or edit.span.end > len(text):
            raise ValueError(f"edit at [{edit.span.start}, {edit.span.end}) overlaps another one or leaves the text")
        parts += (text[position : edit.span.start], edit.text)
        position = edit.span.end
    return "".join((*parts, text[position:]))


@dataclass(frozen=True)
class Source:
    """A text and the name it is known by (a path, ``<stdin>``, a model's name)."""

    text: str
    name: str = "<text>"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of ``offset``, both counted from 1; CRLF ends one line."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Return line number ``line`` (from 1) without its line end."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
