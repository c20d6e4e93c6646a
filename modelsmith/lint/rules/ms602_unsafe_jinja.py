"""The chat template in the weights tries to reach what no template needs.

## What it does
Reads the Jinja template of the GGUF at hand for walks to Python's insides (`__class__`, `__globals__`, `|attr(`) and for
loops over huge ranges.

## Why
Programs that render such templates without a sandbox have run foreign code (CVE-2024-34359). Ollama's own renderer does not
run Python, but the file will be used by others too, and nobody writes this by accident.

## Example
<!-- needs a model -->
```modelfile
FROM ./untrusted.gguf
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
There is no fix: get the weights from somebody else.

## Source
CVE-2024-34359, CVE-2026-5760; promptfoo/modelaudit#323.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.template.jinja.hostile import hostile_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield FROM where the template of its weights is hostile."""
    template = document.model.chat_template if document.model else None
    sources = document.find("FROM")
    if not template or not sources:
        return
    if match := hostile_part(template):
        line = template.count("\n", 0, match.start()) + 1
        yield Finding(
            sources[-1].value_span,
            f"the chat template in these weights holds `{match[0]}` (its line {line})",
            "do not use this file; read the template with `modelsmith explain`",
        )
