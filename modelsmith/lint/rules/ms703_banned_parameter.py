"""Your policy bans this parameter.

## What it does
Reports PARAMETER names in `banned-parameters` of the policy. Silent without that setting.

## Why
Some parameters belong to the machine, not to the model: `num_gpu` or `num_thread` of one developer's laptop slow a server
down.

## Example
<!-- needs a policy -->
```modelfile
FROM llama3.2:3b
PARAMETER num_gpu 0
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
Unsafe: the line is removed.

## Source
Your modelsmith.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield banned parameters."""
    for instruction in document.find("PARAMETER"):
        if instruction.name in document.settings.policy.banned_parameters and instruction.name_span:
            end = instruction.span.end
            line = Span(instruction.span.start, end + 1 if document.text[end : end + 1] == "\n" else end)
            yield Finding(
                instruction.name_span,
                f"the policy bans {instruction.name}",
                "set it on the server or in the request, not in the model",
                unsafe_fix(f"remove {instruction.name}", Edit.delete(line)),
            )
