"""The file names no model to build on.

## What it does
Reports a Modelfile without FROM.

## Why
`ollama create` stops with `no FROM line`. FROM may stand anywhere, but it must be there.

## Example
```modelfile
SYSTEM "You are terse."
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "You are terse."
```

## Fix safety
There is no fix: only the author knows the model.

## Source
Ollama parser/parser.go (errMissingFrom).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blames, meant
from modelsmith.lint.rule import Finding, rule
from modelsmith.patterns import regex
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_FROM = regex(r"^[ \t]*FROM\b", re.IGNORECASE | re.MULTILINE)
_COMMENTED = regex(r"^[ \t]*#[ \t]*FROM[ \t]+\S", re.MULTILINE)


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield one finding where there is no FROM, and no other fault hides it."""
    if document.modelfile is None or document.find("FROM"):
        return
    for blame in blames(document):
        text = document.text[blame.node.span.start : blame.block[-1].span.end]
        word = re.match(r"\w+", text)
        if _FROM.search(text) or (word and meant(word[0]) == "FROM") or "\0" in text[:4]:
            return
    nodes = document.modelfile.nodes
    span = document.instructions[0].keyword_span if document.instructions else Span(0, 0)
    if not nodes:
        yield Finding(span, "the file is empty: no FROM names a model to build on", "write FROM and a model or a file")
        return
    hint = "write FROM and a model such as llama3.2:3b, or a GGUF file"
    if any(_FROM.search(instruction.value) for instruction in document.instructions):
        hint = "one stands inside of a value: a quote above it is closed too late"
    elif _COMMENTED.search(document.text):
        hint = "one stands behind a #"
    yield Finding(span, "no FROM names a model to build on", hint)
