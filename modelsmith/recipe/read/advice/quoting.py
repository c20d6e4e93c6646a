"""Text in quotes, as YAML reads it back."""

from __future__ import annotations

from typing import Final

_SHOWN = 80
QUOTE_TEMPLATES: Final = "text with {{ }} needs quotes, or a block after |-"


def quoted(text: str) -> str:
    """Return text of one line as a recipe writes it in quotes: double ones, or single ones where those need no escapes."""
    cut = f"{text[: _SHOWN - 1]}…" if len(text) > _SHOWN else text
    if '"' not in cut and "\\" not in cut:
        return f'"{cut}"'
    return "'" + cut.replace("'", "''") + "'"
