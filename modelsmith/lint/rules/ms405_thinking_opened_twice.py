r"""The template opens the reasoning twice.

## What it does
Reports prompts that end with the opening tag two times in a row, e.g. after an edit that was applied twice.

## Why
The model has never seen two of them, and the second stays in the reasoning as text.

## Example
```gotmpl
{{ range .Messages }}{{ .Role }}: {{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}
{{ end }}assistant: <think><think>
```

## Use instead
```gotmpl
{{ range .Messages }}{{ .Role }}: {{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}
{{ end }}assistant: {{ if and $.IsThinkSet (not $.Think) }}{{ "<think>\n\n</think>\n\n" }}{{ else }}{{ "<think>\n" }}{{ end }}
```

## Fix safety
There is no fix.

## Source
Ollama thinking/parser.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.thinking import prefill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a tag too many."""
    found = prefill(document)
    if found is None:
        return
    prompt = probes(found.template).prompt("user").rstrip()
    if prompt.removesuffix(found.tag).rstrip().endswith(found.tag):
        yield Finding(found.place, f"prompts end with {found.tag} twice", "print it once")
