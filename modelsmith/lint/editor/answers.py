"""What editors are answered: hovers and completion items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from modelsmith.source import Span

if TYPE_CHECKING:
    from modelsmith.source import Span


class Hover(NamedTuple):
    """Markdown about a part of the file."""

    markdown: str
    span: Span


ItemKind = Literal[
    "keyword", "parameter", "value", "role", "name", "field", "function", "variable", "model", "file", "folder"
]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to write instead of what ``span`` covers; ``snippet`` is for editors that fill in places (``${1}``).

    ``sort`` orders the items. ``more`` says that more has to be written behind it, so that the editor asks again.
    """

    label: str
    kind: ItemKind
    span: Span
    insert: str = ""
    snippet: str = ""
    detail: str = ""
    doc: str = ""
    sort: str = ""
    more: bool = False

    @property
    def text(self) -> str:
        """What is inserted where snippets are not known."""
        return self.insert or self.label
