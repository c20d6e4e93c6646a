'''A long MESSAGE by system takes the place of SYSTEM.

## What it does
Reports a history that begins with a long MESSAGE by system where the file has no SYSTEM.

## Why
It works, but differs from SYSTEM: a request that brings a system message of its own replaces SYSTEM and not this one, so that the model gets
two, and `ollama show --system` does not show it.

## Example
```modelfile
FROM llama3.2:3b
MESSAGE system """You are a harbour pilot. Answer in short sentences, name the tide before the wind, give depths in metres, and say so when a
chart is older than a year. Never guess a depth. When somebody asks for another harbour, name the pilot station there."""
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM """You are a harbour pilot. Answer in short sentences, name the tide before the wind, give depths in metres, and say so when a chart
is older than a year. Never guess a depth. When somebody asks for another harbour, name the pilot station there."""
```

## Fix safety
There is no fix: both work, and only the author knows which was meant.

## Source
Ollama server/routes.go (ChatHandler puts the model's messages before the request's).
'''

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_LONG = 200
"""Characters from which a message reads like a system prompt, and not like one line of a staged conversation."""


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield a system prompt that is written as a message."""
    messages = document.find("MESSAGE")
    if not messages or any(instruction.value for instruction in document.find("SYSTEM")):
        return
    first = messages[0]
    if first.name == "system" and len(first.value) >= _LONG and first.name_span:
        message = "this system prompt stays where a request brings its own, so the model gets two"
        yield Finding(first.name_span, message, "write it as SYSTEM, which a request replaces")
