"""A parameter's value is not of its type.

## What it does
Reports values that Ollama cannot read: `8k`, `0,7`, `4096.0` for a whole number, `yes`, `= 0.7`, quotes of other kinds.

## Why
`ollama create` stops with `invalid int value [8k]`, without a line.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 8k
PARAMETER temperature = 0,7
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 8192
PARAMETER temperature 0.7
```

## Fix safety
Safe where the value is the same number written otherwise (`8k` is 8192 for num_ctx); unsafe where it is rounded or other text is
cut off.

## Source
Ollama api/types.go (FormatParams); Go strconv (ParseInt, ParseFloat, ParseBool).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import shortened
from modelsmith.lint.facts.parameter_faults import bad, is_sound
from modelsmith.lint.facts.parameter_values import repaired
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_WANTED = {
    ParameterKind.INT: ("a whole number", "a whole number in digits, such as 4096 or -1"),
    ParameterKind.FLOAT: ("a number", "a number such as 0.7"),
    ParameterKind.BOOL: ("true or false", "true or false"),
}


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield values that Ollama cannot read."""
    for parameter in bad(document, "MS202"):
        instruction = parameter.instruction
        kind = PARAMETERS[instruction.name].kind
        what, hint = _WANTED.get(kind, ("", ""))
        span = instruction.quoted_span
        if not instruction.value:
            yield Finding(instruction.name_span or span, f"{instruction.name} has no value", f"write {hint}")
            continue
        message = f'"{shortened(instruction.value)}" is not {what}, which {instruction.name} takes'
        fixed = repaired(instruction.name, instruction.value)
        fix = None
        if fixed and is_sound(instruction.name, fixed.text):
            fix = (safe_fix if fixed.is_certain else unsafe_fix)(f"write {fixed.text}", Edit(span, fixed.text))
        yield Finding(span, message, f"write {hint}", fix)
