"""num_gpu counts layers of the model, not GPUs.

## What it does
Reports `num_gpu` with a number as small as that of GPUs in a machine.

## Why
`num_gpu 1` puts a single layer on the GPU and leaves all others to the CPU: the model runs, many times slower. Older texts for
macOS, where 1 meant "on", and environment variables that do not exist spread it.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER num_gpu 1
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER num_gpu -1
```

## Fix safety
Unsafe: the line is removed, so that Ollama decides itself.

## Source
Ollama api/types.go (Runner.NumGPU), llm/llama_server.go (--n-gpu-layers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.gonumber import read_int
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.rule import Finding, rule, unsafe_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_AS_FEW = range(1, 5)


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield numbers of layers that look like numbers of GPUs."""
    for instruction in document.find("PARAMETER", "num_gpu"):
        number = read_int(instruction.value)
        if number in _AS_FEW:
            what = "one layer" if number == 1 else f"{number} layers"
            message = f"num_gpu {number} puts {what} on the GPU and all others on the CPU"
            fix = unsafe_fix("remove the line", delete_lines(document, instruction))
            yield Finding(
                instruction.quoted_span, message, "leave it out: Ollama decides by the memory that is free", fix
            )
