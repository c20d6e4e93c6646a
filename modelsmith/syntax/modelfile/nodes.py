"""What a Modelfile is made of: instructions, comments and lines that are neither, each with its place."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, Row

if TYPE_CHECKING:
    from modelsmith.source import Span


class Flaw(StrEnum):
    """Why Ollama stops at a node; the value is the code of its diagnostic."""

    UNKNOWN_INSTRUCTION = "unknown-instruction"
    NOT_AN_INSTRUCTION = "not-an-instruction"
    INVALID_ROLE = "invalid-role"
    BROKEN_NAME = "broken-name"
    UNCLOSED_QUOTE = "unclosed-quote"


@dataclass(frozen=True, slots=True)
class Fault:
    """Ollama stops at this node: ``offset`` is the character that makes it stop."""

    flaw: Flaw
    offset: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that starts with ``#``; ``text`` includes it."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no instruction."""

    text: str
    span: Span
    fault: Fault


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, ``KEYWORD [name] value``.

    ``keyword`` is in capitals, ``name`` a parameter's name or a message's role ("" for others), ``value`` what Ollama
    reads. ``span`` ends where the value ends; ``value_span`` is the value without its quotes and ``quoted_span`` with
    them (the same where there are none, empty where there is no value).
    """

    keyword: str
    name: str
    value: str
    quote: str
    span: Span
    keyword_span: Span
    name_span: Span | None
    value_span: Span
    quoted_span: Span
    fault: Fault | None = None

    @property
    def row(self) -> Row | None:
        """The row of the table of instructions, None for an unknown word."""
        return INSTRUCTIONS.get(self.keyword)

    @property
    def command(self) -> tuple[str, str]:
        """Return Ollama's name and arguments for it, e.g. ``("model", "llama3")`` or ``("message", "user: hi")``."""
        if self.keyword == "PARAMETER":
            return self.name, self.value
        if self.keyword == "MESSAGE":
            return "message", f"{self.name}: {self.value}"
        row = self.row
        return (row.command if row else self.keyword.lower()), self.value


Node = Instruction | Comment | Unreadable
