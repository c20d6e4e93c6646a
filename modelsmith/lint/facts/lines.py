"""Places around an instruction: its line, its line end, and the edits that rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.text import BOM

if TYPE_CHECKING:
    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Node

_LINE_END = regex(r"\r\n|\r|\n")
_LONGEST_SHOWN = 50
_BLANKS = regex(r"[ \t]*")


def newline(text: str) -> str:
    """Return the line end that the text uses first."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def start_of_line(text: str, offset: int) -> int:
    """Return where the line of an offset begins, behind a byte order mark."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return len(BOM) if start == 0 and text.startswith(BOM) else start


def end_of_line(text: str, offset: int) -> int:
    """Return where the line of an offset ends, before its line end."""
    found = _LINE_END.search(text, offset)
    return found.start() if found else len(text)


def rest_of_line(text: str, offset: int) -> Span:
    """Return what stands between an offset and the end of its line."""
    return Span(offset, end_of_line(text, offset))


def whole_lines(text: str, span: Span) -> Span:
    """Return the lines that a part of the text fills, with the last line end."""
    end = end_of_line(text, span.end)
    found = _LINE_END.match(text, end)
    return Span(start_of_line(text, span.start), found.end() if found else end)


def delete_lines(document: Document, node: Node) -> Edit:
    """Return the edit that removes a node with its lines."""
    return Edit.delete(whole_lines(document.text, node.span))


def line_above(document: Document, offset: int, line: str) -> Edit:
    """Return the edit that puts a line above that of an offset, indented alike."""
    start = start_of_line(document.text, offset)
    indent = _BLANKS.match(document.text, start)
    return Edit.insert(start, f"{indent[0] if indent else ''}{line}{newline(document.text)}")


def number_of(document: Document, node: Node) -> int:
    """Return the line on which a node begins."""
    return document.source.position(node.span.start)[0]


def shortened(value: str) -> str:
    """Return a value as it fits into a message."""
    return value if len(value) <= _LONGEST_SHOWN else f"{value[:30]} … {value[-15:]}"


def plural(count: int, one: str, many: str) -> str:
    """Return the number with the right word."""
    return f"{count} {one if count == 1 else many}"
