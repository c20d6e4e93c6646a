"""What in a Modelfile needs which version of Ollama.

Sources: Ollama ``parser/parser.go``, ``api/types.go``, ``template/template.go``, ``model/renderers`` and ``model/parsers``,
each fact read in the first release tag that has it.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.lint.facts.once_a_document import once_a_document
from modelsmith.lint.facts.parameter_faults import SINCE
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.lint.document import Document
    from modelsmith.source import Span

_FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {"currentDate": "0.11.0", "toTypeScriptType": "0.11.3", "yesterdayDate": "0.13.3"}
)
_CALL = regex(r"\b(?:currentDate|toTypeScriptType|yesterdayDate)\b")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that Ollama has since a version; without what is not ``vital`` older ones work, but otherwise."""

    what: str
    since: str
    span: Span
    vital: bool = True


@once_a_document
def needs(document: Document) -> tuple[Need, ...]:
    """Return what a Modelfile uses that not every version of Ollama has."""
    return tuple(_needs(document))


def _needs(document: Document) -> Iterator[Need]:
    for instruction in document.instructions:
        if instruction.fault is None and instruction.row and instruction.row.since:
            yield Need(f"the instruction {instruction.keyword}", instruction.row.since, instruction.keyword_span)
        if (
            instruction.fault is None
            and instruction.keyword == "PARAMETER"
            and instruction.name in SINCE
            and instruction.name_span
        ):
            yield Need(f"the parameter {instruction.name}", SINCE[instruction.name], instruction.name_span)
    yield from _names(document)
    if (template := document.template) and template.template:
        for found in _CALL.finditer(template.text):
            if _is_called(template.text, found.start()):
                yield Need(f"the template function {found[0]}", _FUNCTIONS[found[0]], template.span(*found.span()))


def _names(document: Document) -> Iterator[Need]:
    if not any(instruction.keyword in ("RENDERER", "PARSER") for instruction in document.instructions):
        return
    from modelsmith.template.effective.renderers import PARSERS, RENDERERS

    if (renderers := document.find("RENDERER")) and (renderer := RENDERERS.get(renderers[-1].value)):
        yield Need(f"the renderer {renderer.name}", renderer.since, renderers[-1].value_span)
    if (parsers := document.find("PARSER")) and (parser := PARSERS.get(parsers[-1].value)):
        yield Need(f"the parser {parser.name}", parser.since, parsers[-1].value_span, vital=False)


def _is_called(text: str, offset: int) -> bool:
    """Say whether a word stands in an action and not behind a dot, a dollar or in a comment."""
    opening = text.rfind("{{", 0, offset)
    return (
        opening > text.rfind("}}", 0, offset)
        and text[offset - 1] not in ".$"
        and not re.match(r"\{\{-?\s*/\*", text[opening:offset])
        and text.count('"', opening, offset) % 2 == 0
        and text.count("`", opening, offset) % 2 == 0
    )
