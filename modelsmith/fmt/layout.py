"""The layout of a Modelfile as edits: what stands between values, never the values.

What may be changed follows from Ollama ``parser/parser.go`` (``ParseFile``): keywords in any case, blanks around values,
empty lines, line ends, and the invisible characters that it drops.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.fmt.quotes import quotes_of
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.nodes import Comment, Instruction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.modelfile.modelfile import Modelfile

_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANKS = " \t"


def layout_edits(modelfile: Modelfile) -> Iterator[Edit]:
    """Yield what brings every line into its form, from the first to the last; nothing where it has it already.

    For a Modelfile without faults (see ``Instruction.fault``): where Ollama stops, nobody knows what a line means.
    """
    text, newline = modelfile.text, line_end(modelfile)
    end = 0
    for number, node in enumerate(modelfile.nodes):
        before = Span(end, node.span.start)
        # the first node ends no line; between two nodes one empty line may stay
        lines = min(len(_LINE_END.findall(before.of(text))), 2) if number else 0
        yield from _replace(text, before, newline * lines)
        if isinstance(node, Instruction):
            yield from _instruction(modelfile, node)
        elif isinstance(node, Comment):
            yield from _replace(text, node.span, node.text.rstrip(_BLANKS))
        end = node.span.end
    yield from _replace(text, Span(end, len(text)), newline if modelfile.nodes else "")


def line_end(modelfile: Modelfile) -> str:
    """Return what ends the lines outside of values: LF, or CRLF where the values have that and nothing else.

    Line ends inside a value are part of it. A file that mixes both would lose one of them in the next editor.
    """
    inside = "".join(instruction.value_span.of(modelfile.text) for instruction in modelfile.instructions)
    return "\r\n" if "\r\n" in inside and not re.search(r"(?<!\r)\n", inside) else "\n"


def _instruction(modelfile: Modelfile, node: Instruction) -> Iterator[Edit]:
    text = modelfile.text
    quotes = quotes_of(node, node.value_span.of(text))
    # An empty name is a name too: what follows two blanks is the value then.
    name = f"{node.name} " if node.name_span is not None else ""
    start, value = node.span.start, node.value_span
    yield from _replace(text, Span(start, value.start), f"{node.keyword} {name}{quotes}")
    yield from _replace(text, Span(value.end, node.span.end), quotes)


def _replace(text: str, span: Span, wanted: str) -> Iterator[Edit]:
    if span.of(text) != wanted:
        yield Edit(span, wanted)
