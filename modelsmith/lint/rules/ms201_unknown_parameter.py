"""Ollama has no parameter of this name.

## What it does
Reports PARAMETER names that the target does not know, with the name that Ollama uses for it, or where it is set instead.

## Why
`ollama create` stops with `unknown parameter 'max_tokens'`, without a line. Names of other programs and of older versions are
taught in many tutorials.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER max_tokens 512
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER num_predict 512
```

## Fix safety
Safe where it is the same thing under another name and the value is sound. Unsafe for a misspelled name, for layers on the GPU, and
where the line is removed because nothing replaces the parameter. A name that is not known at all is information where the target is newer
than the newest Ollama whose parameters are known here.

## Source
Ollama api/types.go (Options, Runner) at its release tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.facts.parameter_faults import bad, is_sound
from modelsmith.lint.facts.parameter_names import ELSEWHERE, RENAMES, UNSURE, close_to
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.parameters import PARAMETERS, REMOVED_SINCE
from modelsmith.source import Edit
from modelsmith.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield unknown parameters."""
    for parameter in bad(document, "MS201"):
        yield _finding(document, parameter.instruction)


def _finding(document: Document, instruction: Instruction) -> Finding:
    name, span = instruction.name, instruction.name_span or instruction.keyword_span
    key = name.lower()
    message = f'Ollama has no parameter "{name}"'
    if meant := RENAMES.get(key):
        make = safe_fix if is_sound(meant, instruction.value) and key not in UNSURE else unsafe_fix
        hint = UNSURE.get(key, f"Ollama calls it {meant}")
        return Finding(span, message, hint, make(f"write {meant}", Edit(span, meant)))
    if key in REMOVED_SINCE:
        fix = unsafe_fix("remove the line", delete_lines(document, instruction))
        return Finding(span, f'Ollama {REMOVED_SINCE[key]} removed the parameter "{name}"', "nothing replaces it", fix)
    if key in ELSEWHERE:
        return Finding(span, message, ELSEWHERE[key])
    if meant := close_to(key):
        fix = unsafe_fix(f"write {meant}", Edit(span, meant))
        return Finding(span, f'{message}; did you mean "{meant}"?', f"write {meant}", fix)
    if document.target > NEWEST:
        message = f"{name} is unknown to Ollama {NEWEST}, the newest whose parameters are known here"
        return Finding(span, message, f"Ollama {document.target} was not checked", severity=Severity.INFO)
    return Finding(span, message, f"one of {', '.join(PARAMETERS)}")
