"""The weights name a licence that the Modelfile does not.

## What it does
Reports a local GGUF whose metadata names a licence, in a file without LICENSE.

## Why
Ollama keeps LICENSE layers and shows them; what stands in the GGUF's metadata nobody sees. Models made from a stored model
keep its licences by themselves.

## Example
<!-- needs a file -->
```modelfile
FROM ./model.gguf
```

## Use instead
```modelfile
FROM ./model.gguf
LICENSE Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0
```

## Fix safety
Unsafe: the short name is written; many licences want their whole text.

## Source
Ollama server/create.go (setLicense appends); llama.cpp gguf-py (general.license).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.surroundings import PathKind
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield the FROM whose licence is told to nobody."""
    if document.find("LICENSE"):
        return
    for instruction in document.find("FROM"):
        facts = (document.surroundings.paths or {}).get(instruction.value)
        if not facts or facts.kind is not PathKind.FILE or facts.model is None or facts.role not in {"", "model"}:
            continue
        name = facts.model.license.strip()
        if name and name.isprintable():
            end = Edit.insert(instruction.span.end, f"\nLICENSE {name}")
            yield Finding(
                instruction.value_span,
                f'the weights are under "{name}", which nobody who runs the model will see',
                "add a LICENSE with its text",
                unsafe_fix(f"add LICENSE {name}", end),
            )
            return
