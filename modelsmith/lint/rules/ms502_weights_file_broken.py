"""A file of weights is not what its name says, or is damaged.

## What it does
Opens the header of every file that FROM, ADAPTER and DRAFT name, and says what it really is: a web page, a git-lfs pointer,
an archive, an old GGML file, a GGUF that ends too early.

## Why
Ollama's own message ("unknown type", "invalid file magic") does not say that the download was a login page.

## Example
<!-- needs a file -->
```modelfile
FROM ./model.gguf
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
There is no fix: the file must be fetched again.

## Source
Ollama server/create.go (detectModelTypeFromFiles), ollama#3010, ggml-org/llama.cpp#3358.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.surroundings import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield files with a problem; Safetensors are no GGUF and fine."""
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in document.find(keyword):
            facts = (document.surroundings.paths or {}).get(instruction.value)
            if facts and facts.kind is PathKind.FILE and facts.problem and facts.format != "safetensors":
                yield Finding(instruction.value_span, facts.problem, facts.hint)
