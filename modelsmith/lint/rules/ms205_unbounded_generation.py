"""A thinking model may think without end, or is cut off while it thinks.

## What it does
Where a file is certainly for a thinking model, reports `num_predict` so small that reasoning uses it up, and that there is none.

## Why
Reasoning counts as generated tokens. With a small limit the answer is empty; without any, a model that loops in its reasoning
blocks the server until the client gives up.

## Example
```modelfile
FROM qwen3:8b
PARSER qwen3-thinking
PARAMETER num_predict 128
```

## Use instead
```modelfile
FROM qwen3:8b
PARSER qwen3-thinking
PARAMETER num_predict 8192
```

## Fix safety
There is no fix: the limit depends on the work.

## Source
Ollama llm/llama_server.go (n_predict); ollama issues 17512 and 7814.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.gonumber import read_int
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.source import Span

_TOO_FEW = 512


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield limits that do not fit to reasoning."""
    limits = document.find("PARAMETER", "num_predict")
    limit = read_int(limits[-1].value) if limits else None
    if limits and (limit is None or not -1 <= limit < _TOO_FEW or limit == 0):
        return
    place = _thinks(document)
    if place is None:
        return
    if limits and limit and limit > 0:
        message = f"num_predict {limit} counts the reasoning too; the answer may be cut off before it begins"
        yield Finding(limits[-1].value_span, message, "give a thinking model some thousands", severity=Severity.WARNING)
        return
    message = "this model thinks, and nothing limits how long: num_predict has no value"
    yield Finding(limits[-1].value_span if limits else place, message, "a generous PARAMETER num_predict ends a loop")


def _thinks(document: Document) -> Span | None:
    """Return what shows that the model thinks."""
    parsers = document.find("PARSER")
    if parsers:
        from modelsmith.template.effective.renderers import PARSERS

        row = PARSERS.get(parsers[-1].value)
        return parsers[-1].value_span if row and row.thinking else None
    template = document.template
    if template and template.instruction and ".Thinking" in template.text and template.template:
        return template.instruction.keyword_span
    return None
