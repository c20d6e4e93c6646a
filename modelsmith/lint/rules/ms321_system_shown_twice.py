"""The template shows the system prompt twice.

## What it does
Renders a chat with a system message, and reports that its text is in the prompt more than once.

## Why
System messages are in `.System`, all together, and in `.Messages` too. A template that prints `.System` and then every message whatever
its role repeats them, which costs tokens in every request and is nothing that models were trained on.

## Example
```gotmpl
{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
```

## Use instead
```gotmpl
{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
```

## Fix safety
There is no fix: one of the two has to go.

## Source
Proven by rendering; Ollama template/template.go (collate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import SYSTEM, probes
from modelsmith.lint.templates.template import used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield the second place that prints the system prompt."""
    found = used(document)
    if found is None or found[1].is_legacy or probes(found[1]).prompt("system").count(SYSTEM) < 2:
        return
    embedded, template = found
    printing = [piece.node for piece in probes(template).pieces("system") if SYSTEM in piece.text]
    pipeline = getattr(printing[-1], "pipeline", None) if printing else None
    if pipeline is None:
        return
    written = embedded.text[pipeline.start : pipeline.end]
    message = f"{written} shows the system prompt again: messages of the role system are in .System and in .Messages"
    hint = 'print only one of them, or skip {{ if eq .Role "system" }}{{ continue }}{{ end }} in the range'
    yield Finding(embedded.span(pipeline.start, pipeline.end), message, hint)
