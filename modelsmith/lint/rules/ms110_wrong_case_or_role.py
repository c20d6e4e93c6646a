"""A parameter is in the wrong case, or a message is by a role that there is not.

## What it does
Reports parameters that would be known in small letters, and roles other than `system`, `user` and `assistant`.

## Why
Case does not matter for instructions, but it does for what follows them: `unknown parameter 'Temperature'`,
`message role must be one of …`.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER Temperature 0.7
MESSAGE User Hello!
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER temperature 0.7
MESSAGE user Hello!
```

## Fix safety
Safe for the case; unsafe for another role.

## Source
Ollama parser/parser.go (isValidMessageRole), api/types.go (FormatParams).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.parameter_faults import bad
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.source import Edit
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.syntax.modelfile.table import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document
    from modelsmith.source import Span

_MEANT = {
    "human": "user",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "developer": "system",
}


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield names in the wrong case and unknown roles."""
    for parameter in bad(document, "MS110"):
        name, span = parameter.instruction.name, parameter.instruction.name_span
        if span:
            fix = safe_fix(f"write {name.lower()}", Edit(span, name.lower()))
            yield Finding(span, f"Ollama knows no parameter {name}", "names of parameters are in small letters", fix)
    for blame in blamed(document, "MS110"):
        node = blame.node
        if isinstance(node, Instruction) and node.name_span:
            hint = f"a MESSAGE is by {', '.join(ROLES)}"
            yield Finding(
                node.name_span, f'"{node.name}" is not a role', hint, _role(node.name.lower(), node.name_span)
            )


def _role(name: str, span: Span) -> Fix | None:
    if name in ROLES:
        return safe_fix(f"write {name}", Edit(span, name))
    return unsafe_fix(f"write {_MEANT[name]}", Edit(span, _MEANT[name])) if name in _MEANT else None
