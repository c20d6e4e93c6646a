"""An empty value means "not given": what the base model has stays.

## What it does
Reports SYSTEM, TEMPLATE, RENDERER, PARSER and DRAFT without a value, an empty FROM or ADAPTER, which means the Modelfile's folder, and
an empty MESSAGE or LICENSE.

## Why
`SYSTEM ""` looks like "no system prompt", but Ollama drops empty fields from the request and the model keeps the one of its base.
A Modelfile cannot remove what it inherits.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM ""
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "You are a helpful assistant."
```

## Fix safety
Unsafe: the line is removed, which changes nothing for Ollama, but perhaps something else was meant.

## Source
Ollama api/types.go (CreateRequest: omitempty), server/create.go; ollama issues 6797, 10094 and 14560.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.bases import builds_on_files
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.rule import Finding, rule, unsafe_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_WAYS = {
    "SYSTEM": "a Modelfile cannot remove a system prompt; write another one, or build from the GGUF instead of the name",
    "TEMPLATE": "a Modelfile cannot remove a template; write another one, or build from the GGUF instead of the name",
    "RENDERER": "a Modelfile cannot remove an inherited renderer; name another one",
    "PARSER": "a Modelfile cannot remove an inherited parser; name another one (passthrough reads nothing)",
}
_FOLDERS = frozenset({"FROM", "ADAPTER", "DRAFT"})
_TEXTS = {"MESSAGE": "the model reads an empty message", "LICENSE": "an empty license is stored"}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield instructions that say nothing."""
    for instruction in document.instructions:
        if instruction.fault is not None or instruction.value:
            continue
        fix = unsafe_fix("remove it", delete_lines(document, instruction))
        if instruction.keyword in _WAYS:
            counts = document.find(instruction.keyword)[-1] is instruction
            message = f"an empty {instruction.keyword} means that none is given; the base model's stays"
            if counts and not (instruction.keyword == "SYSTEM" and builds_on_files(document)):
                yield Finding(instruction.span, message, _WAYS[instruction.keyword], fix)
        elif instruction.keyword in _FOLDERS:
            message = f"an empty {instruction.keyword} means the folder that the Modelfile is in"
            yield Finding(instruction.span, message, f"write {instruction.keyword} . if that is meant")
        elif instruction.keyword in _TEXTS:
            yield Finding(
                instruction.span, f"{instruction.keyword} is empty: {_TEXTS[instruction.keyword]}", "remove it", fix
            )
