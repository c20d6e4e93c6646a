"""A named template is defined and never called.

## What it does
Reports `{{ define "x" }}` without a `{{ template "x" … }}` anywhere.

## Why
What is in it never reaches the model, although Ollama counts its variables: a definition that mentions `.Messages` or `.Tools` changes
how the model is treated.

## Example
```gotmpl
{{ define "tools" }}{{ .Tools }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}
```

## Use instead
```gotmpl
{{ define "tools" }}{{ .Tools }}{{ end }}{{ template "tools" . }}{{ range .Messages }}{{ .Content }}{{ end }}
```

## Fix safety
There is no fix: it may be the call that is missing.

## Source
Ollama template/template.go (Vars).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.template import counted, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield definitions that nothing calls."""
    found = counted(document)
    if found is None or "define" not in found[0].text:
        return
    from modelsmith.syntax.gotemplate.nodes import Block, Define, TemplateCall

    embedded, template = found
    called = {node.name for node in nodes(template) if isinstance(node, TemplateCall | Block)}
    for node in nodes(template):
        if isinstance(node, Define) and node.name and node.name not in called:
            span = embedded.span(node.opening.start, node.opening.end)
            yield Finding(
                span, f'nothing calls the template "{node.name}"', f'call it: {{{{ template "{node.name}" . }}}}'
            )
