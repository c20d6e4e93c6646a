"""Places as JavaScript counts them: in UTF-16 units, of which characters beyond U+FFFF take two."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

_LAST_OF_ONE_UNIT = "\uffff"


@dataclass(frozen=True)
class Units:
    """A text whose code points are counted in UTF-16 units."""

    text: str

    @cached_property
    def _wide(self) -> list[int]:
        if self.text.isascii():
            return []
        return [place for place, char in enumerate(self.text) if char > _LAST_OF_ONE_UNIT]

    def at(self, offset: int) -> int:
        """Return the unit at which a code point begins."""
        return offset + bisect_left(self._wide, offset)
