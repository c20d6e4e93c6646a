"""Places as editors count them: lines from 0, and columns from 0 in the units of an encoding.

Source: Language Server Protocol 3.17, Position and PositionEncodingKind: a line ends with LF, CRLF or CR and nothing else,
and a column beyond the end of its line is that end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

Unit = Literal["utf-8", "utf-16", "utf-32"]

_LINE_END = re.compile(r"\r\n|\r|\n")


class Position(NamedTuple):
    """A line and a column in units, both from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class Positions:
    """A text whose places are counted in ``unit``."""

    text: str
    unit: Unit = "utf-16"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @property
    def lines(self) -> int:
        """How many lines there are; a line end at the end of the text begins one more."""
        return len(self._starts)

    def at(self, offset: int) -> Position:
        """Return the position of a code point; what lies beyond the text is its end."""
        offset = min(offset, len(self.text))
        line = bisect_right(self._starts, offset) - 1
        return Position(line, self._width(self.text[self._starts[line] : offset]))

    def offset(self, line: int, column: int) -> int:
        """Return the code point at a position, that before it where the position is inside of one."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        found = _LINE_END.search(self.text, start)
        content = self.text[start : found.start() if found else len(self.text)]
        if self.unit == "utf-32" or content.isascii():
            return start + min(column, len(content))
        for place, char in enumerate(content):
            column -= self._width(char)
            if column < 0:
                return start + place
        return start + len(content)

    def _width(self, text: str) -> int:
        if self.unit == "utf-32" or text.isascii():
            return len(text)
        if self.unit == "utf-16":
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text.encode("utf-8", "surrogatepass"))
