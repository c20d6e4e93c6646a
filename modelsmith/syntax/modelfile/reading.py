"""What Ollama's own parser makes of a Modelfile: its commands, or the error it stops with.

Source: Ollama ``parser/parser.go`` (``ParseFile``, ``ParserError``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.nodes import Fault, Flaw, Instruction, Unreadable
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, Row, Shape, invalid_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.syntax.modelfile.nodes import Node
    from modelsmith.versions import Version

INVALID_ROLE = 'message role must be one of "system", "user", or "assistant"'
END_OF_FILE = "unexpected EOF"
NO_FROM = "no FROM line"


_PLAIN = frozenset(row.command for row in INSTRUCTIONS.values() if row.shape is Shape.PLAIN)


class ModelfileCommand(NamedTuple):
    """One command as Ollama keeps it: ``name`` is "model" for FROM, a parameter's name, else the instruction."""

    name: str
    args: str

    @property
    def printed(self) -> str:
        """The line that Ollama's own printer writes for it, as in `ollama show --modelfile`.

        Not every value survives that: see ``modelsmith.syntax.modelfile.quote`` for one that does.
        """
        if self.name == "model":
            return f"FROM {self.args}"
        if self.name == "message":
            role, _, content = self.args.partition(": ")
            return f"MESSAGE {role} {_lossy_quote(content)}"
        keyword = self.name.upper() if self.name in _PLAIN else f"PARAMETER {self.name}"
        return f"{keyword} {_lossy_quote(self.args)}"


@dataclass(frozen=True, slots=True)
class ReadingError:
    """Why Ollama refuses a file. ``line`` counts every CR and LF, as Ollama does, and is None where it names none."""

    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"(line {self.line}): {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class OllamaReading:
    """The commands of an accepted file, or the error."""

    commands: tuple[ModelfileCommand, ...] | None
    error: ReadingError | None = None

    @property
    def printed(self) -> str:
        """The whole file as Ollama's own printer writes it; "" for a refused one."""
        return "".join(f"{command.printed}\n" for command in self.commands or ())


def _lossy_quote(value: str) -> str:
    if "\n" not in value and not value.startswith(" ") and not value.endswith(" "):
        return value
    quote = '"""' if '"' in value else '"'
    return quote + value + quote


def read_as_ollama(masked: str, nodes: Iterable[Node], version: Version | None = None) -> OllamaReading:
    """Read nodes in order up to the first that Ollama (of ``version``; None: the newest known) stops at."""
    rows = tuple(row for row in INSTRUCTIONS.values() if version is None or not row.since or version.has(row.since))
    known = {row.keyword for row in rows}
    commands = []
    for node in nodes:
        if isinstance(node, Instruction):
            fault = node.fault
            if node.keyword not in known:
                fault = Fault(Flaw.UNKNOWN_INSTRUCTION, node.keyword_span.end)
            if fault is None:
                commands.append(ModelfileCommand(*node.command))
                continue
            return OllamaReading(None, _error(masked, fault, node.name, rows))
        if isinstance(node, Unreadable):
            return OllamaReading(None, _error(masked, node.fault, "", rows))
    if not any(name == "model" for name, _ in commands):
        return OllamaReading(None, ReadingError(NO_FROM))
    return OllamaReading(tuple(commands))


def _error(masked: str, fault: Fault, name: str, rows: tuple[Row, ...]) -> ReadingError:
    if fault.flaw is Flaw.UNCLOSED_QUOTE or fault.offset >= len(masked):
        return ReadingError(END_OF_FILE)
    if fault.flaw is Flaw.BROKEN_NAME:
        return ReadingError(f"{END_OF_FILE}: {name}")
    # A line end is counted before it is looked at: an error that it raises belongs to the next line.
    read = masked[: fault.offset + 1]
    line = 1 + read.count("\n") + read.count("\r")
    return ReadingError(INVALID_ROLE if fault.flaw is Flaw.INVALID_ROLE else invalid_command(rows), line)
