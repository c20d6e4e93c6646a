"""A projector has no model to see for, or not this one.

## What it does
Reports a Modelfile whose only FROM is a projector (mmproj), and a projector whose output is not as wide as the model's
embeddings.

## Why
A projector turns images into embeddings of one text model. Alone it is no model; with another it fails when it is loaded.

## Example
<!-- needs a file -->
```modelfile
FROM ./mmproj.gguf
```

## Use instead
```modelfile
FROM ./model.gguf
FROM ./mmproj.gguf
```

## Fix safety
There is no fix.

## Source
Ollama server/create.go; llama.cpp tools/mtmd/clip.cpp (n_mmproj_embd).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield projectors without their model."""
    known = [
        (instruction, (document.surroundings.paths or {}).get(instruction.value))
        for instruction in document.find("FROM")
    ]
    projectors = [(instruction, facts) for instruction, facts in known if facts and facts.role == "projector"]
    if not projectors:
        return
    if len(projectors) == len(known):
        yield Finding(
            projectors[0][0].value_span,
            "this is a projector (mmproj), and no FROM names the text model it belongs to",
            "add a second FROM with the model",
        )
        return
    widths = {facts.model.embedding_length for _, facts in known if facts and facts.role == "model" and facts.model}
    for instruction, facts in projectors:
        width = facts.model.projection_width if facts.model else 0
        if width and widths and 0 not in widths and width not in widths:
            yield Finding(
                instruction.value_span,
                f"the projector makes embeddings of {width} numbers, the model has {max(widths)}",
                "use the projector that was published with the model",
            )
