"""A placeholder or a shell's variable was never replaced.

## What it does
Reports `${NAME}`, `$NAME`, `{{ name }}` and `<your-model>` in paths, and Dockerfile's `AS name`, in FROM, ADAPTER and DRAFT.
A FROM that is no path and no name of a model is MS512.

## Why
Ollama replaces nothing: it looks for a file or a model of exactly this name, and does not find it.

## Example
```modelfile
FROM ${MODELS}/llama.gguf
```

## Use instead
```modelfile
FROM ./llama.gguf
```

## Fix safety
Unsafe: `AS name` is removed. No fix for the others.

## Source
Ollama parser/parser.go (expandPath); ollama issue 16711 asks for variables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.surroundings import PathKind
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_PLACEHOLDER = regex(
    r"\$\{[^}]*\}|\$\(?[A-Za-z_]\w*\)?|\{\{.*?\}\}|\{[A-Za-z_]\w*\}|<[\w ./:-]+>|%[A-Z_]+%|__[A-Z_]+__"
)
_LONGEST = 4096
_ALIAS = regex(r"[ \t]+AS[ \t]+[\w.-]+$", re.IGNORECASE)


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield names that were meant to be replaced."""
    for instruction in document.instructions:
        if instruction.fault is not None or instruction.keyword not in ("FROM", "ADAPTER", "DRAFT"):
            continue
        if len(instruction.value) > _LONGEST:
            continue
        if instruction.keyword == "FROM" and "/" not in instruction.value and " " not in instruction.value:
            continue  # MS512 says that it is no name of a model
        facts = (document.surroundings.paths or {}).get(instruction.value)
        if facts is not None and facts.kind is not PathKind.MISSING:
            continue
        if found := _PLACEHOLDER.search(document.text, instruction.value_span.start, instruction.value_span.end):
            message = f"Ollama does not replace {found[0]}; it looks for this very name"
            yield Finding(
                Span(*found.span()), message, "write the name, or make the file with a recipe that has inputs"
            )
        elif found := _ALIAS.search(instruction.value):
            start = instruction.value_span.start + found.start()
            span = Span(start, instruction.value_span.end)
            message = f"{found[0].strip()} is part of the name to Ollama: a Modelfile has no stages"
            yield Finding(span, message, "remove it", unsafe_fix("remove it", Edit.delete(span)))
