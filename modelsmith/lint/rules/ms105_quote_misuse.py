'''Quotes do not do what they seem to do.

## What it does
Reports values in single, curly or back quotes, and several stops on one line.

## Why
Only `"` and `"""` around the whole value are quotes to Ollama; all others are part of the value: `stop '</s>'` waits for an
answer with the quotes in it. `stop "a" "b"` is one stop, `a" "b`, and so is `stop ["a", "b"]`.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER stop '<|im_end|>'
PARAMETER stop "User:" "Assistant:"
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER stop "<|im_end|>"
PARAMETER stop "User:"
PARAMETER stop "Assistant:"
```

## Fix safety
Safe for stops, names and paths; unsafe for texts.

## Source
Ollama parser/parser.go (unquote).
'''

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import UnquotableValue
from modelsmith.lint.facts.comments import WORDS
from modelsmith.lint.facts.lines import newline, shortened
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.parameters import PARAMETERS
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.quote import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_PAIRS = {"'": "'", "‘": "’", "“": "”", "”": "”", "„": "“", "«": "»", "`": "`", "「": "」"}
_SEVERAL = regex(r'[^"]+"(?:[ \t]*(?:,[ \t]*)?"[^"]+")*[ \t]*(?:,[ \t]*)?"[^"]+')
_BETWEEN = regex(r'"[ \t]*(?:,[ \t]*)?"')
_TEXTS = frozenset({"SYSTEM", "TEMPLATE", "MESSAGE", "LICENSE"})


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield quotes that Ollama keeps, and stops that it joins."""
    for instruction in document.instructions:
        row = PARAMETERS.get(instruction.name)
        is_stop = instruction.keyword == "PARAMETER" and row is not None and row.is_list
        if instruction.fault is not None or not (
            is_stop or instruction.keyword in WORDS or instruction.keyword in _TEXTS
        ):
            continue
        if is_stop and (stops := _stops(instruction)):
            yield _several(document, instruction, stops)
        elif instruction.keyword != "REQUIRES" and (inner := _inside(instruction)) is not None:
            yield _odd(instruction, inner, is_text=instruction.keyword in _TEXTS)


def _stops(instruction: Instruction) -> list[str]:
    """Return the stops where a line is meant to hold several."""
    value = instruction.value
    if instruction.quote == '"' and "\n" not in value and _SEVERAL.fullmatch(value):
        return _BETWEEN.split(value)
    if not instruction.quote and value.startswith("[") and value.endswith("]"):
        try:
            found = json.loads(value)
        except ValueError:
            return []
        if found and isinstance(found, list) and all(isinstance(item, str) and item for item in found):
            return found
    return []


def _several(document: Document, instruction: Instruction, stops: list[str]) -> Finding:
    shown = shortened(instruction.value)
    message = f"a line takes one value: this is the one stop {shown}"
    if len(stops) == 1:
        message = f"brackets make no list: they are part of the stop {shown}"
    hint = "write a PARAMETER line for each"
    try:
        lines = [f"PARAMETER stop {quote(stop, chr(34))}" for stop in stops]
    except UnquotableValue:
        return Finding(instruction.quoted_span, message, hint)
    joined = newline(document.text).join(lines)
    return Finding(instruction.quoted_span, message, hint, safe_fix(hint, Edit(instruction.span, joined)))


def _inside(instruction: Instruction) -> str | None:
    """Return what stands between odd quotes, None where there are none."""
    value = instruction.value
    if instruction.quote or len(value) <= 2 or _PAIRS.get(value[0]) != value[-1]:
        return None
    opening, closing = value[0], value[-1]
    width = 3 if len(value) > 6 and value.startswith(opening * 3) and value.endswith(closing * 3) else 1
    inner = value[width:-width]
    return None if opening in inner or closing in inner else inner


def _odd(instruction: Instruction, inner: str, *, is_text: bool) -> Finding:
    opening, closing = instruction.value[0], instruction.value[-1]
    what = "the stop" if instruction.keyword == "PARAMETER" else instruction.keyword
    message = f"{opening} and {closing} are no quotes to Ollama; they are part of {what}"
    span = Span(instruction.value_span.start, instruction.value_span.start + 1)
    return Finding(span, message, 'write " or """', _straight(instruction, inner, is_text=is_text))


def _straight(instruction: Instruction, inner: str, *, is_text: bool) -> Fix | None:
    try:
        edit = Edit(instruction.value_span, quote(inner, "" if instruction.keyword in WORDS else '"'))
    except UnquotableValue:
        return None
    return (unsafe_fix if is_text else safe_fix)('write "', edit)
