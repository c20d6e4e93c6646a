r'''A backslash escapes nothing: `\n` in a value is a backslash and an n.

## What it does
Reports `\n`, `\t`, `\r`, `\"` and `\u003c` in stops, and `\n` in a SYSTEM or MESSAGE of one line that joins sentences.

## Why
Modelfile values have no escapes. The stop `"\nUser:"` waits for an answer with a backslash in it and never stops anything; the
system prompt shows the model a backslash and an n where a new line was meant. In TEMPLATE see MS304.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER stop "\nUser:"
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER stop """
User:"""
```

## Fix safety
Unsafe: real characters take the place of the escapes.

## Source
Ollama parser/parser.go (unquote).
'''

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import UnquotableValue
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.quote import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_IN_STOP = regex(r'\\(?:[ntr"]|u00[0-9a-fA-F]{2})')
_IN_TEXT = regex(r"(?<=[.!?:;,)])[ ]?(?:\\n)+(?=[ ]?[-*#A-Z0-9]|$)")
_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", '"': '"'}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield escapes that are none."""
    for instruction in document.instructions:
        if instruction.fault is not None or "\\" not in instruction.value:
            continue
        is_stop = instruction.keyword == "PARAMETER" and instruction.name == "stop"
        if not is_stop and (instruction.keyword not in ("SYSTEM", "MESSAGE") or "\n" in instruction.value):
            continue
        found = (_IN_STOP if is_stop else _IN_TEXT).search(
            document.text, instruction.value_span.start, instruction.value_span.end
        )
        if found is None:
            continue
        start = document.text.index("\\", found.start())
        span = Span(start, found.end() if is_stop else start + 2)
        what = "the stop" if is_stop else instruction.keyword
        message = f"{span.of(document.text)} is no escape in a Modelfile; {what} has a backslash in it"
        hint = 'write the character itself, in """ if it is a line end'
        yield Finding(span, message, hint, _fix(instruction, _IN_STOP if is_stop else re.compile(r"\\n")))


def _fix(instruction: Instruction, escape: re.Pattern[str]) -> Fix | None:
    value = escape.sub(lambda found: _CHARACTERS.get(found[0][1]) or chr(int(found[0][2:], 16)), instruction.value)
    try:
        return unsafe_fix("write the characters themselves", Edit(instruction.quoted_span, quote(value, '"')))
    except UnquotableValue:
        return None
