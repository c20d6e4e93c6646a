"""This ADAPTER cannot be used.

## What it does
Reports an ADAPTER for an Ollama that refuses it (from 0.34.1 on), a file that is no adapter, an adapter named in FROM, and
an adapter for another architecture than the base's.

## Why
The create fails, or the model loads and answers nonsense.

## Example
<!-- needs a file -->
```modelfile
FROM llama3.2:3b
ADAPTER ./mmproj.gguf
```

## Use instead
```modelfile
FROM ./merged.gguf
```

## Fix safety
There is no fix: merge the adapter into its base first.

## Source
Ollama server/create.go, generative-computing/mellea#1651, ollama#15346, ollama#13314.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


_REFUSED_SINCE = "0.34.1"


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield adapters that will not work, and weights that are adapters."""
    paths = document.surroundings.paths or {}
    merge = "merge it (modelsmith lora merge BASE ADAPTER -o FILE) and name the merged model in FROM"
    for instruction in document.find("ADAPTER"):
        facts = paths.get(instruction.value)
        if document.target.has(_REFUSED_SINCE):
            yield Finding(
                instruction.keyword_span, f"Ollama {document.target} refuses ADAPTER (since {_REFUSED_SINCE})", merge
            )
        elif facts and facts.role and facts.role != "adapter":
            name = "projector" if facts.role == "projector" else "whole model"
            yield Finding(
                instruction.value_span, f"{instruction.value} is a {name}, not an adapter", f"name a {name} in FROM"
            )
        elif (
            facts and facts.model and document.model and _differ(facts.model.architecture, document.model.architecture)
        ):
            yield Finding(
                instruction.value_span,
                f"the adapter is for {facts.model.architecture}, the base is {document.model.architecture}",
                "use the base that the adapter was trained on",
                severity=Severity.WARNING,
            )
    for instruction in document.find("FROM"):
        facts = paths.get(instruction.value)
        if facts and facts.role == "adapter":
            yield Finding(
                instruction.value_span,
                f"{instruction.value} is an adapter, not a model",
                "name it in ADAPTER, its base in FROM",
            )


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and "unknown" not in {one, other} and one != other
