"""Edits of a Modelfile as splices: only the bytes that an edit is about change.

New lines get the file's own line end; an instruction that is new goes after the last of its kind, else after the last
one that usually stands before it, else before the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ModelfileRefused
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.source import Edit, Source, Span
from modelsmith.syntax.modelfile.nodes import Flaw, Instruction
from modelsmith.syntax.modelfile.quote import quote
from modelsmith.syntax.modelfile.table import INSTRUCTIONS
from modelsmith.syntax.modelfile.text import BOM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Entry = tuple[str, str]
"""What an instruction shall say: a parameter's name or a message's role ("" for the others), and the value."""

_LINE_END = regex(r"\r\n|\r|\n")
_REST_OF_LINE = regex(r"[ \t\0]*")


@dataclass(frozen=True, slots=True)
class Editor:
    """Computes edits for one text (``masked`` as Ollama sees it) and its instructions."""

    masked: str
    instructions: tuple[Instruction, ...]

    def set_last(self, keyword: str, entry: Entry, found: Sequence[Instruction]) -> Iterator[Edit]:
        """Make ``entry`` the only one of what was ``found``: rewrite the last, which counts, and drop the others."""
        return self.set_all(keyword, [entry], found[-1:], found[:-1])

    def set_all(
        self, keyword: str, entries: Sequence[Entry], found: Sequence[Instruction], stale: Sequence[Instruction] = ()
    ) -> Iterator[Edit]:
        """Make ``found`` say ``entries`` in order: rewrite, then drop what is too much or add what is missing."""
        for instruction, entry in zip(found, entries, strict=False):
            yield from self._rewrite(instruction, entry)
        for instruction in (*stale, *found[len(entries) :]):
            yield Edit.delete(self._lines_of(instruction))
        if missing := entries[len(found) :]:
            yield self.add(keyword, missing, found)

    def add(self, keyword: str, entries: Sequence[Entry], found: Sequence[Instruction]) -> Edit:
        """Return the edit that adds instructions after what was ``found``, or where they usually stand."""
        lines = [_line(keyword, entry) for entry in entries]
        rank = INSTRUCTIONS[keyword].rank
        alike = [instruction for instruction in self.instructions if instruction.keyword == keyword]
        before = [instruction for instruction in self.instructions if instruction.row and instruction.row.rank <= rank]
        nearest = found or alike or before
        anchor = nearest[-1] if nearest else None
        if anchor is not None and not _swallows(anchor):
            end = self._end_of_line(anchor.span.end)
            return Edit.insert(end, "".join(self._newline + line for line in lines))
        first = anchor or (self.instructions[0] if self.instructions else None)
        if first is not None:
            return Edit.insert(self._start_of_line(first.span.start), "".join(line + self._newline for line in lines))
        gap = "" if self.masked.removeprefix(BOM)[-1:] in {"", "\n", "\r"} else self._newline
        return Edit.insert(len(self.masked), gap + "".join(line + self._newline for line in lines))

    def _rewrite(self, instruction: Instruction, entry: Entry) -> Iterator[Edit]:
        name, value = entry
        if _swallows(instruction):
            line, _ = Source(self.masked).position(instruction.span.start)
            raise ModelfileRefused(
                f"{instruction.keyword} on line {line} has a quote that is never closed, so that nobody knows where it ends",
                hint="close the quote at the end of its line first",
            )
        if instruction.fault and instruction.fault.flaw is not Flaw.INVALID_ROLE:
            yield Edit(instruction.span, _line(instruction.keyword, entry))
            return
        if instruction.name_span and instruction.name != name:
            yield Edit(instruction.name_span, name)
        if instruction.value != value:
            yield Edit(instruction.quoted_span, quote(value, instruction.quote))

    @property
    def _newline(self) -> str:
        match = _LINE_END.search(self.masked)
        return match[0] if match else "\n"

    def _start_of_line(self, offset: int) -> int:
        line = max(self.masked.rfind("\n", 0, offset), self.masked.rfind("\r", 0, offset)) + 1
        return max(line, len(BOM) if self.masked.startswith(BOM) else 0)

    def _end_of_line(self, offset: int) -> int:
        match = _REST_OF_LINE.match(self.masked, offset)
        return match.end() if match else offset

    def _lines_of(self, instruction: Instruction) -> Span:
        """Return the lines that an instruction fills, with its line end."""
        end = self._end_of_line(instruction.span.end)
        newline = _LINE_END.match(self.masked, end)
        return Span(self._start_of_line(instruction.span.start), newline.end() if newline else end)


def _swallows(instruction: Instruction) -> bool:
    return instruction.fault is not None and instruction.fault.flaw is Flaw.UNCLOSED_QUOTE


def _line(keyword: str, entry: Entry) -> str:
    name, value = entry
    return " ".join(filter(None, (keyword, name, quote(value))))
