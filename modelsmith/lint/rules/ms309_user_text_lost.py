"""The template never shows the model what the user says.

## What it does
Renders a chat, and reports that the user's messages are not in the prompt.

## Why
Every question gets the same answer.

## Example
```modelfile
FROM ./base.gguf
TEMPLATE "You are a helpful assistant. {{ .System }}"
```

## Use instead
```modelfile
FROM ./base.gguf
TEMPLATE "You are a helpful assistant. {{ .System }} {{ .Prompt }}"
```

## Fix safety
There is no fix.

## Source
Proven by rendering; Ollama template/template.go (Execute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import NEXT, USER, probes
from modelsmith.lint.templates.template import heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template without the user's words."""
    found = used(document)
    if found is None:
        return
    embedded, template = found
    outcome = probes(template).outcome("turns")
    if outcome.prompt is None or NEXT in outcome.prompt or USER in outcome.prompt:
        return
    if USER in probes(template).prompt("user"):
        return
    where = "{{ .Prompt }}" if template.is_legacy else "{{ .Content }} inside of {{ range .Messages }}"
    message = "this template never shows the model what the user says"
    yield Finding(heading(embedded), message, f"print {where}")
