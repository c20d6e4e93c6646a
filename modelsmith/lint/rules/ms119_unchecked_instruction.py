"""The instruction is documented, and in no version that was read here.

## What it does
Reports CAPABILITY, which the documentation of Ollama lists ("declare an additional model capability") and no release up to 0.33 has. Its
argument is not checked: no file with it was seen yet. For an older target it is MS101.

## Why
An Ollama that does not have it stops there with `command must be one of …`; whether a newer one accepts this line is not known here.

## Example
```modelfile
FROM llama3.2:3b
CAPABILITY tools
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
There is no fix.

## Source
Ollama docs/modelfile.mdx; parser/parser.go of 0.33 (isValidCommand).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.rule import Finding, rule
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield instructions of which only the documentation speaks."""
    for blame in blamed(document, "MS119"):
        if isinstance(blame.node, Instruction):
            place = blame.node.keyword_span
            message = f"{place.of(document.text)} is documented for an Ollama after {NEWEST}; it is not checked here"
            yield Finding(place, message, f"Ollama {NEWEST} and older stop at this line")
