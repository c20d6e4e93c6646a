"""The draft model is the model itself.

## What it does
Reports a DRAFT with the same path as a FROM.

## Why
`ollama create` stops with `DRAFT must not reference the same local path as FROM`. A draft model guesses tokens for a larger one, so
it must be another, smaller model of the same family.

## Example
```modelfile
FROM ./model.gguf
DRAFT model.gguf
```

## Use instead
```modelfile
FROM ./model.gguf
DRAFT ./draft.gguf
```

## Fix safety
Unsafe: the DRAFT is removed.

## Source
Ollama parser/parser.go (CreateRequest).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import delete_lines, number_of
from modelsmith.lint.rule import Finding, rule, unsafe_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield drafts that are their own model."""
    if not document.target.has("0.23.1"):
        return
    sources = {posixpath.normpath(instruction.value): instruction for instruction in document.find("FROM")}
    for instruction in document.find("DRAFT"):
        if source := sources.get(posixpath.normpath(instruction.value)):
            message = f"DRAFT names the same as FROM on line {number_of(document, source)}; Ollama refuses that"
            fix = unsafe_fix("remove DRAFT", delete_lines(document, instruction))
            yield Finding(instruction.quoted_span, message, "a draft model is a smaller model of the same family", fix)
