"""The template names `.Tools` and does not show them to the model.

## What it does
Renders a chat with a tool, and reports that the tool's name is not in the prompt.

## Why
Because the template mentions `.Tools`, Ollama says that the model can use tools and accepts them. The model never learns of any.

## Example
```gotmpl
{{ if .Tools }}You can use tools. {{ end }}{{ range .Messages }}{{ .Role }}: {{ .Content }} {{ end }}
```

## Use instead
```gotmpl
{{ if .Tools }}You can use these tools: {{ .Tools }} {{ end }}{{ range .Messages }}{{ .Role }}: {{ .Content }} {{ end }}
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
from modelsmith.lint.templates.probe import TOOL, USER, probes
from modelsmith.lint.templates.template import has_system, heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template that takes tools and keeps them to itself."""
    found = used(document)
    if found is None or "tools" not in found[1].variables:
        return
    embedded, template = found
    shown = probes(template)
    if any(TOOL in shown.prompt(chat) for chat in ("offer", "tools")) or USER not in shown.prompt("offer"):
        return
    if TOOL not in shown.prompt("system-offer"):
        why = (
            "a template without .Messages gets none" if template.is_legacy else "print {{ .Tools }}, or range over them"
        )
        message = "this template makes Ollama accept tools, but does not show them to the model"
        yield Finding(heading(embedded), message, why)
    elif not has_system(document):
        message = "this template shows the model its tools only where there is a system prompt"
        yield Finding(heading(embedded), message, "print .Tools outside of {{ if .System }}, or set a SYSTEM")
