"""The template offers tools, and does not show the model what they answered.

## What it does
Renders a tool call and its result with a template that uses `.Tools`, and reports that the result is not in the prompt.

## Why
Because of `.Tools` Ollama says that the model can use tools. The model calls one, never sees the result, and calls it again.

## Example
```gotmpl
{{ range .Tools }}{{ . }}{{ end }}{{ range .Messages }}{{ if eq .Role "user" }}User: {{ .Content }}{{ else if eq .Role "assistant" }}Bot: {{ .Content }}{{ end }}{{ end }}Bot:
```

## Use instead
```gotmpl
{{ range .Tools }}{{ . }}{{ end }}{{ range .Messages }}{{ .Role }}: {{ .Content }}{{ end }}Bot:
```

## Fix safety
There is no fix; `modelsmith apply` has the step add-tools for the families that are known.

## Source
Proven by rendering; Ollama server/images.go (Capabilities).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import RESULT, USER, probes
from modelsmith.lint.templates.template import heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template that takes tools and drops their results."""
    found = used(document)
    if found is None or "tools" not in found[1].variables:
        return
    prompt = probes(found[1]).prompt("tools")
    if USER in prompt and RESULT not in prompt:
        message = "this template offers tools to the model, but does not show it what they answered"
        hint = 'print {{ .Content }} of messages whose .Role is "tool" (a template without .Messages never gets them)'
        yield Finding(heading(found[0]), message, hint)
