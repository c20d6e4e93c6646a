"""A parameter has no effect any more.

## What it does
Reports parameters that Ollama still accepts and ignores: mirostat and its relatives, low_vram, f16_kv, use_mlock and others.

## Why
`ollama create` prints `warning: parameter mirostat is deprecated` and stores nothing, whatever the value.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER mirostat 2
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
Safe: the line is removed, as Ollama does.

## Source
Ollama parser/parser.go (deprecatedParameters): penalize_newline since 0.5.5, the others since 0.7.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.facts.parameter_faults import is_deprecated
from modelsmith.lint.rule import Finding, rule, safe_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_INSTEAD = {
    "f16_kv": "the server's OLLAMA_KV_CACHE_TYPE sets the type of the cache",
    "low_vram": "num_gpu and num_ctx decide what is on the GPU",
    "penalize_newline": "repeat_penalty is for all tokens",
    "mirostat": "top_k, top_p and min_p choose the tokens",
    "mirostat_tau": "top_k, top_p and min_p choose the tokens",
    "mirostat_eta": "top_k, top_p and min_p choose the tokens",
}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield parameters that are ignored."""
    for instruction in document.find("PARAMETER"):
        if instruction.name_span and is_deprecated(document, instruction.name):
            fix = safe_fix("remove the line", delete_lines(document, instruction))
            message = f"Ollama ignores the parameter {instruction.name}"
            yield Finding(instruction.name_span, message, _INSTEAD.get(instruction.name, "nothing replaces it"), fix)
