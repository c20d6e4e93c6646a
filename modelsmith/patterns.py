"""Regular expressions that are compiled when they are first used: a short command uses a third of those that it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as regex

    __all__ = ["regex"]
else:
    import re

    class regex:  # noqa: N801 -- it is called like the function re.compile
        """Stands for ``re.compile(text, flags)``; each method is the compiled pattern's own from its first use on."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            """Take what ``re.compile`` takes."""
            self._arguments = text, flags

        def __getattr__(self, name: str) -> Any:
            value = getattr(re.compile(*self._arguments), name)
            setattr(self, name, value)
            return value
