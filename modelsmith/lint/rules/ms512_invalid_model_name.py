"""FROM holds what is neither a path nor the name of a model.

## What it does
Reports a FROM that Ollama's server will refuse as a name, where no file of that name can be meant.

## Why
The Modelfile is read without complaint; the create stops with "invalid model name" afterwards. That is certain, and an
error, where the folder was looked at and has no file of this name.

## Example
```modelfile
FROM llama3.2:3b:latest
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
There is no fix.

## Source
Ollama types/model/name.go, server/create.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.surroundings import PathKind
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield names that are none, an error where no file has this name; comments and variables are other rules' business."""
    for instruction in document.find("FROM"):
        value = instruction.value
        facts = (document.surroundings.paths or {}).get(value)
        if (
            not value
            or " #" in value
            or "$" in value
            or "\\" in value
            or value.startswith((".", "~", "/"))
            or value[1:3] == ":/"
        ):
            continue
        if facts is None and (
            value.lower().endswith((".gguf", ".bin", ".safetensors")) or "/" in value or " " in value
        ):
            continue
        name = ModelName.parse(value)
        if not name.is_valid and (facts is None or facts.kind is PathKind.MISSING):
            message = f'"{value}" is not the name of a model: {name.problem}'
            yield Finding(instruction.value_span, message, name.way_out, severity=Severity.ERROR if facts else None)
