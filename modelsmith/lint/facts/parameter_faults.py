"""PARAMETER lines that Ollama refuses, and the rule that reports each.

Sources: Ollama ``api/types.go`` (``Options``, ``FormatParams``) at its release tags, ``parser/parser.go``.
"""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidParameter
from modelsmith.lint.facts.comments import comment_of
from modelsmith.lint.facts.once_a_document import once_a_document
from modelsmith.lint.facts.thinking_names import is_thinking_name
from modelsmith.parameters import (
    DEPRECATED,
    DEPRECATED_SINCE,
    PARAMETERS,
    REMOVED_SINCE,
    ParameterKind,
    typed_parameters,
)
from modelsmith.patterns import regex
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

SINCE: Mapping[str, str] = MappingProxyType(
    {name: parameter.since for name, parameter in PARAMETERS.items() if parameter.since}
)
"""Parameters that came later than the others."""

_ORDINARY = {
    ParameterKind.INT: regex(r"[+-]?\d{1,15}", re.ASCII),
    ParameterKind.FLOAT: regex(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII),
}
_NOTHING = regex(r"(?!)")
_NUMBER = regex(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class BadParameter:
    """A PARAMETER at which ``ollama create`` stops: the rule that reports it, and Ollama's sentence."""

    code: str
    instruction: Instruction
    sentence: str


def bad(document: Document, code: str) -> Iterator[BadParameter]:
    """Yield the refused parameters that one rule has to report."""
    return (parameter for parameter in bad_parameters(document) if parameter.code == code)


@once_a_document
def bad_parameters(document: Document) -> tuple[BadParameter, ...]:
    """Return every PARAMETER that Ollama refuses, in order."""
    found = document.find("PARAMETER")
    last = {instruction.name: instruction for instruction in found}
    return tuple(
        BadParameter(code, instruction, sentence)
        for instruction in found
        for code, sentence in [_judge(document, instruction, is_last=last[instruction.name] is instruction)]
        if code
    )


def is_deprecated(document: Document, name: str) -> bool:
    """Say whether the target warns of a parameter and ignores it."""
    return name in DEPRECATED and document.target.has(DEPRECATED_SINCE[name])


def is_sound(name: str, value: str) -> bool:
    """Say whether a parameter that Ollama knows takes this value."""
    try:
        (typed,) = typed_parameters({name: [value]}).values()
    except InvalidParameter:
        return False
    return not isinstance(typed, float) or math.isfinite(typed)


def _judge(document: Document, instruction: Instruction, *, is_last: bool) -> tuple[str, str]:
    name, value = instruction.name, instruction.value
    unknown = f"unknown parameter '{name}'"
    if not name:
        return "MS111", unknown
    if name in DEPRECATED or (name in REMOVED_SINCE and not document.target.has(REMOVED_SINCE[name])):
        return "", ""
    row = PARAMETERS.get(name)
    if row is None:
        if name.lower() in PARAMETERS or name.lower() in DEPRECATED:
            return "MS110", unknown
        return "MS401" if is_thinking_name(name) else "MS201", unknown
    if name in SINCE and not document.target.has(SINCE[name]):
        return "MS507", unknown
    if row.kind is ParameterKind.STRINGS or (_ORDINARY.get(row.kind) or _NOTHING).fullmatch(value):
        return "", ""
    try:
        (typed,) = typed_parameters({name: [value]}).values()
    except InvalidParameter as error:
        if comment_of(instruction):
            return "MS104", error.message
        return ("MS208" if _is_too_large(row.kind, value) else "MS202"), error.message
    if isinstance(typed, float) and not math.isfinite(typed) and is_last:
        return "MS208", f"json: unsupported value: {'NaN' if math.isnan(typed) else '+Inf' if typed > 0 else '-Inf'}"
    return "", ""


def _is_too_large(kind: ParameterKind, value: str) -> bool:
    """Say whether a number is well written and only out of range."""
    if not _NUMBER.fullmatch(value):
        return False
    return kind is ParameterKind.FLOAT or (kind is ParameterKind.INT and re.fullmatch(r"[+-]?\d+", value) is not None)
