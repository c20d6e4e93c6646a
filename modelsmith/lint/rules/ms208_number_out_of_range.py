"""A number is infinite, not a number, or larger than Ollama can keep.

## What it does
Reports `inf` and `nan`, and numbers beyond what the parameter's type holds.

## Why
Ollama's reader accepts `inf` and `nan`, and then `ollama create` fails with `json: unsupported value: +Inf`. Larger numbers than 64
bits (32 for fractions) are `invalid int value`. Whole numbers from 1000000 on make `ollama show --modelfile` write a file that
Ollama refuses, which is information.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER repeat_penalty inf
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER repeat_penalty 1.1
```

## Fix safety
There is no fix.

## Source
Ollama api/types.go (FormatParams); Go encoding/json, strconv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.gonumber import read_int
from modelsmith.lint.facts.lines import shortened
from modelsmith.lint.facts.parameter_faults import bad
from modelsmith.lint.rule import Finding, rule
from modelsmith.parameters import PARAMETERS, ParameterKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_EXACT = 2**53


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield numbers that cannot be kept."""
    for parameter in bad(document, "MS208"):
        name, value = parameter.instruction.name, parameter.instruction.value
        reason = "is no finite number" if parameter.sentence.startswith("json") else "is too large"
        yield Finding(
            parameter.instruction.quoted_span,
            f"{shortened(value)} {reason}; Ollama stops with: {shortened(parameter.sentence)}",
            f"give {name} a number in its range",
        )
    for instruction in document.find("PARAMETER"):
        row = PARAMETERS.get(instruction.name)
        number = read_int(instruction.value) if row and row.kind is ParameterKind.INT else None
        if number is not None and abs(number) > _EXACT:
            message = f"{number} loses digits: Ollama's server keeps numbers as 64-bit floats"
            yield Finding(instruction.quoted_span, message, "take a number below 2^53", severity=Severity.WARNING)
