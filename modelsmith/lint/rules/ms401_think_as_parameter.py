"""Thinking cannot be switched in a Modelfile by a parameter, an instruction or a message.

## What it does
Reports `PARAMETER think …` and `THINK …` under their many names, which Ollama refuses, and messages such as
`MESSAGE user /set nothink`, which are no command there but text of the conversation.

## Why
`think` is a field of each request, not a parameter of the model; `/set nothink` works only where it is typed into `ollama run`.

## Example
```modelfile
FROM deepseek-r1:8b
PARAMETER think false
```

## Use instead
```modelfile
FROM deepseek-r1:8b
```

and `ollama run deepseek-r1:8b --think=false`, `"think": false` in the request, or a template that opens or closes the
reasoning itself: `modelsmith apply force-think`.

## Fix safety
There is no fix: which way is meant, only the author knows.

## Source
Ollama parser/parser.go and api/types.go (Options); ollama issues 10961 and 16848.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.thinking_names import is_thinking_name
from modelsmith.lint.rule import Finding, rule
from modelsmith.patterns import regex
from modelsmith.source import Span
from modelsmith.syntax.modelfile.nodes import Instruction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_COMMAND = regex(r"\s*/set\s+(?:no)?think\b[^\n]*", re.IGNORECASE)
_WAYS = (
    'thinking is chosen by each request ("think" in the API, `ollama run --think`); a template can force it: '
    "`modelsmith apply force-think`"
)


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield what is meant to switch thinking and does not."""
    for blame in blamed(document, "MS401"):
        if isinstance(blame.node, Instruction) and blame.node.row:
            continue  # a parameter, see below
        word = document.text[blame.node.span.start : blame.node.span.end].split(None, 1)[0]
        span = Span(blame.node.span.start, blame.node.span.start + len(word))
        yield Finding(span, f'Ollama has no instruction "{word}"', _WAYS)
    for instruction in document.instructions:
        if instruction.keyword == "PARAMETER" and instruction.name_span and is_thinking_name(instruction.name):
            yield Finding(instruction.name_span, f'Ollama has no parameter "{instruction.name}"', _WAYS)
        elif (
            instruction.keyword == "MESSAGE"
            and instruction.fault is None
            and (found := _COMMAND.match(instruction.value))
        ):
            command = found.group().strip()
            start = document.text.find(command, instruction.value_span.start, instruction.value_span.end)
            span = Span(start, start + len(command)) if start >= 0 else instruction.value_span
            message = f"{command} is a command of `ollama run`; in a MESSAGE it is only text that the model reads"
            yield Finding(span, message, _WAYS, severity=Severity.WARNING)
