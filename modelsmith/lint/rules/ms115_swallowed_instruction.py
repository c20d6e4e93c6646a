'''A quote is closed too late, and instructions became part of a value.

## What it does
Reports quoted values that end with an instruction which has an opening quote of its own, quoted values of PARAMETER that hold any
instruction, and blocks in which text follows a closing quote on its line.

## Why
A quote ends only where nothing but blanks follows it on its line. Where it is missing, or a comment stands behind it, Ollama reads
on to the next one that does, and accepts the file: the instructions in between are now text.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM """You are terse.""" # short
PARAMETER temperature 0.2
LICENSE """MIT"""
```

## Use instead
```modelfile
FROM llama3.2:3b
# short
SYSTEM """You are terse."""
PARAMETER temperature 0.2
LICENSE """MIT"""
```

## Fix safety
Unsafe: the quote is closed at the end of its line, or the comment behind it moves to the line above.

## Source
Ollama parser/parser.go (unquote).
'''

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import line_above, number_of, rest_of_line
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.table import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_KEYWORDS = "|".join(INSTRUCTIONS)
_LINE = rf"^[ \t]*((?:{_KEYWORDS})[ \t]+(?:\w+[ \t]+(?=\"))?)"
_INSTRUCTION = regex(_LINE, re.MULTILINE)
_IN_ANY_CASE = regex(_LINE, re.MULTILINE | re.IGNORECASE)
_COMMENT = regex(r"[ \t]*(?:#|//)[ \t]*([^\r\n]*)")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield values that swallowed instructions."""
    for instruction in document.instructions:
        if instruction.fault is None and instruction.quote and "\n" in instruction.value:
            first = _swallowed(document, instruction)
            if first:
                yield _finding(document, instruction, first)


def _swallowed(document: Document, instruction: Instruction) -> re.Match[str] | None:
    """Return the first instruction in a value, where the last one opens the quote that closes the value.

    In a PARAMETER, whose value is a word or two, any instruction is one.
    """
    span = instruction.value_span
    is_parameter = instruction.keyword == "PARAMETER"
    pattern = _IN_ANY_CASE if is_parameter else _INSTRUCTION
    found = list(pattern.finditer(document.text, span.start, span.end))
    found = [match for match in found if match.start() > span.start]
    if not found:
        return None
    after = document.text[found[-1].end(1) : instruction.quoted_span.end]
    is_one_line = after.startswith(instruction.quote) and "\n" not in after.rstrip()
    is_opening = is_one_line or after == instruction.quote or _is_quoted(after, instruction.quote)
    is_commented = instruction.quote in document.text[span.start : found[0].start()]
    return found[0] if is_opening or is_commented or is_parameter else None


def _is_quoted(text: str, quote: str) -> bool:
    """Say whether a text of some lines is one value in quotes."""
    return text.startswith(quote) and text.rstrip().endswith(quote) and text.count(quote) == 2


def _finding(document: Document, instruction: Instruction, first: re.Match[str]) -> Finding:
    opening = Span(instruction.quoted_span.start, instruction.value_span.start)
    line = document.source.position(first.start(1))[0]
    message = (
        f"the {instruction.quote} opened here is closed on line "
        f"{document.source.position(instruction.quoted_span.end - 1)[0]}; {first[1].strip()} on line {line} is text of {instruction.keyword}"
    )
    early = document.text.find(instruction.quote, instruction.value_span.start, first.start())
    if early >= 0:
        rest = rest_of_line(document.text, early + len(instruction.quote))
        comment = _COMMENT.fullmatch(rest.of(document.text))
        edits = [Edit.delete(rest)]
        if comment:
            edits.insert(0, line_above(document, instruction.span.start, f"# {comment[1]}".rstrip()))
        fix = unsafe_fix("let the quote end its line", *edits)
        return Finding(
            opening,
            message,
            f"nothing may follow the {instruction.quote} on line {number_of(document, instruction)}",
            fix,
        )
    end = len(document.text[: first.start()].rstrip())
    fix = unsafe_fix(f"close it with {instruction.quote}", Edit.insert(end, instruction.quote))
    return Finding(opening, message, f"close it with {instruction.quote} before line {line}", fix)
