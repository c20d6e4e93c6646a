"""Comments behind values: Ollama knows comments at the start of a line only and keeps the others as part of the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.gonumber import read_bool, read_float
from modelsmith.lint.facts.lines import line_above
from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

WORDS = frozenset({"FROM", "ADAPTER", "DRAFT", "RENDERER", "PARSER", "REQUIRES"})
"""Instructions whose value is one name or path."""

_AFTER_SCALAR = regex(r"\S+?([ \t]*(?:#|//|;|--|<!--).*)")
_AFTER_WORD = regex(r"\S.*?((?<![ \t])[ \t]+#(?:[ \t].*|[^\s#]*[ \t].*|\w*))")
_AFTER_TEXT = regex(r"\S.*?((?<![ \t])[ \t]{2,}#[ \t]+\w.*)")
_AFTER_STOP = regex(r"\S+?([ \t]+#[ \t]+\w.*)")


def comment_of(instruction: Instruction) -> Span | None:
    """Return the comment behind a value, the blanks before it included; None where there is none."""
    if instruction.fault is not None or instruction.quote:
        return None
    found = _pattern(instruction).fullmatch(instruction.value)
    if found is None or instruction.value_span.end - instruction.value_span.start != len(instruction.value):
        return None
    return Span(instruction.value_span.start + found.start(1), instruction.value_span.end)


def _pattern(instruction: Instruction) -> re.Pattern[str]:
    if instruction.keyword in WORDS:
        return _AFTER_WORD
    if instruction.keyword != "PARAMETER":
        return _AFTER_TEXT
    row = PARAMETERS.get(instruction.name)
    return _AFTER_STOP if row and row.kind is ParameterKind.STRINGS else _AFTER_SCALAR


def moved(document: Document, instruction: Instruction, comment: Span) -> tuple[Edit, Edit]:
    """Return the edits that put a comment on a line of its own above the instruction."""
    text = comment.of(document.text).strip()
    words = re.sub(r"\A(?:#+|//+|;+|--+|<!--)[ \t]*|[ \t]*-->\Z", "", text)
    line = f"# {words}".rstrip()
    return line_above(document, instruction.span.start, line), Edit.delete(comment)


def is_scalar(text: str) -> bool:
    """Say whether a text is a number or a truth value as Ollama reads them."""
    return read_float(text) is not None or read_bool(text) is not None
