"""The template does not open the assistant's turn.

## What it does
Renders a chat of several turns, and reports that something stands before past answers which is missing where the next answer
begins.

## Why
The model is not told that it is its turn: it goes on with the user's message, or writes the tag itself as part of its answer.

## Example
```modelfile
FROM ./chatml.gguf
TEMPLATE "{{ range .Messages }}<|im_start|>{{ .Role }} {{ .Content }}<|im_end|>{{ end }}"
```

## Use instead
```modelfile
FROM ./chatml.gguf
TEMPLATE "{{ range .Messages }}<|im_start|>{{ .Role }} {{ .Content }}<|im_end|>{{ end }}<|im_start|>assistant "
```

## Fix safety
There is no fix.

## Source
Proven by rendering; what `add_generation_prompt` is for Jinja templates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import heading, used
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_IS_OPEN = regex(r"(?:assistant|model|bot|gpt|\bai)\W*\Z", re.IGNORECASE)
"""The tail opens the turn already; what history has besides, such as a channel, is the model's to write."""


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template whose prompts end before the assistant's turn."""
    found = used(document)
    turns = probes(found[1]).turns() if found else None
    if found is None or turns is None:
        return
    opening, tail = turns.opening.strip(), turns.tail.strip()
    rest = opening[len(tail) :].strip()
    if not opening.startswith(tail) or not rest or "think" in rest.lower() or _IS_OPEN.search(tail):
        return
    shown = rest if len(rest) <= 60 else f"{rest[:57]}…"
    message = f"prompts do not end with {shown!r}, which opens the assistant's turn before past answers"
    yield Finding(heading(found[0]), message, "print it after the last message too, outside of the range")
