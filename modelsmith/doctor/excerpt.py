"""A part of a text that is read on its own, such as a code block, and where its characters come from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.source import Span

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic


class Language(StrEnum):
    """How a block is read."""

    SHELL = "shell"
    POWERSHELL = "powershell"
    SETTINGS = "settings"
    YAML = "yaml"
    DOCKERFILE = "dockerfile"
    MODELFILE = "modelfile"
    PYTHON = "python"
    PLIST = "plist"
    TEXT = "text"
    OTHER = "other"


class BlockKind(StrEnum):
    """Where a block stands: between fences, in a line of prose, in a line that is recognisably a command, or alone."""

    FENCE = "fence"
    INLINE = "inline"
    LINE = "line"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a text without what stands before them (indentation, ``> ``); ``starts`` and ``origins`` run in parallel."""

    text: str
    starts: tuple[int, ...]
    origins: tuple[int, ...]
    language: Language
    kind: BlockKind

    @classmethod
    def of(cls, text: str, pieces: list[Span], language: Language, kind: BlockKind) -> Excerpt:
        """Join pieces of a text, one a line."""
        starts, position = [], 0
        for piece in pieces:
            starts.append(position)
            position += piece.end - piece.start + 1
        joined = "\n".join(piece.of(text) for piece in pieces)
        return cls(joined, tuple(starts), tuple(piece.start for piece in pieces), language, kind)

    @classmethod
    def whole(cls, text: str, language: Language = Language.SHELL) -> Excerpt:
        """Take a whole text, as one given on the command line."""
        return cls(text, (0,), (0,), language, BlockKind.COMMAND)

    @property
    def origin(self) -> int:
        """Where it begins in the text it was taken from."""
        return self.origins[0] if self.origins else 0

    def place(self, offset: int) -> int:
        """Return the offset in the original text."""
        line = max(0, bisect_right(self.starts, offset) - 1)
        return self.origins[line] + offset - self.starts[line] if self.origins else offset

    def outside(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return a diagnostic of this excerpt as one of the original text."""
        start = self.place(diagnostic.span.start)
        return replace(diagnostic, span=Span(start, max(start, self.place(diagnostic.span.end))), fix=None)
