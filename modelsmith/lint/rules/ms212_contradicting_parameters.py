"""Two parameters do not fit together.

## What it does
Reports `num_keep` and `num_predict` that do not fit into `num_ctx`.

## Why
The context holds prompt and answer. What is kept of the prompt, or generated, beyond it pushes the conversation out.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 4096
PARAMETER num_predict 8192
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 16384
PARAMETER num_predict 8192
```

## Fix safety
There is no fix.

## Source
Ollama llm/llama_server.go; llama.cpp common/sampling.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.gonumber import read_float
from modelsmith.lint.facts.parameter_faults import bad_parameters
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_TOKENS = {"num_keep": "tokens of the prompt are kept", "num_predict": "tokens may be generated"}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield parameters that others make useless or harmful."""
    refused = {id(parameter.instruction) for parameter in bad_parameters(document)}
    last = {
        instruction.name: instruction for instruction in document.find("PARAMETER") if id(instruction) not in refused
    }
    context = _number(last, "num_ctx")
    for name, what in _TOKENS.items():
        number = _number(last, name)
        if context and context > 0 and number is not None and number >= context:
            message = f"{last[name].value} {what}, and num_ctx {last['num_ctx'].value} holds prompt and answer together"
            yield Finding(last[name].quoted_span, message, f"take a smaller {name} or a larger num_ctx")


def _number(last: Mapping[str, Instruction], name: str) -> float | None:
    return read_float(last[name].value) if name in last else None
