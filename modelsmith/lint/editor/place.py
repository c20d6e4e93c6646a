"""What stands at an offset of a file: which instruction, which part of it, and which template."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.syntax.modelfile.nodes import Instruction

Part = Literal["keyword", "name", "value", ""]


@dataclass(frozen=True, slots=True)
class Place:
    """An offset, understood: ``template`` is the template that it is in, ``inside`` the offset in that template's text."""

    offset: int
    instruction: Instruction | None = None
    part: Part = ""
    template: EmbeddedTemplate | None = None
    inside: int = 0


def place_at(document: Document, offset: int) -> Place:
    """Return what stands at an offset; behind the last character of a word counts as the word."""
    if document.modelfile is None:
        alone = document.templates[0]
        return Place(offset, None, "", alone, in_template(alone, offset))
    instruction = next(
        (
            instruction
            for instruction in document.instructions
            if instruction.span.start <= offset <= instruction.span.end
        ),
        None,
    )
    if instruction is None:
        return Place(offset)
    template = next((embedded for embedded in document.templates if embedded.instruction is instruction), None)
    if template is not None and instruction.value_span.start <= offset <= instruction.value_span.end:
        return Place(offset, instruction, "value", template, in_template(template, offset))
    return Place(offset, instruction, _part(instruction, offset), template)


def _part(instruction: Instruction, offset: int) -> Part:
    if offset <= instruction.keyword_span.end:
        return "keyword"
    name = instruction.name_span
    if name is not None and name.start <= offset <= name.end:
        return "name"
    return "value" if offset >= instruction.quoted_span.start else ""


def in_template(template: EmbeddedTemplate, offset: int) -> int:
    """Return the offset in a template's text of an offset in the file."""
    if template.places is None:
        return min(max(offset - template.shift, 0), len(template.text))
    return min(bisect_left(template.places, offset), len(template.text))
