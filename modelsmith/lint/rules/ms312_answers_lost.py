"""The template does not show the model its own past answers.

## What it does
Renders a chat of several turns, and reports that the user's messages are in the prompt and the assistant's are not.

## Why
From the second turn on the model sees questions without answers: it answers all of them again, and refers to nothing it said.

## Example
```modelfile
FROM ./base.gguf
TEMPLATE "{{ range .Messages }}{{ if eq .Role `user` }}User: {{ .Content }} {{ end }}{{ end }}Assistant:"
```

## Use instead
```modelfile
FROM ./base.gguf
TEMPLATE "{{ range .Messages }}{{ if eq .Role `user` }}User: {{ else }}Assistant: {{ end }}{{ .Content }} {{ end }}Assistant:"
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
from modelsmith.lint.templates.probe import ANSWER, NEXT, USER, probes
from modelsmith.lint.templates.template import heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template without the assistant's words."""
    found = used(document)
    if found is None:
        return
    prompt = probes(found[1]).prompt("turns")
    if USER in prompt and NEXT in prompt and ANSWER not in prompt:
        where = "{{ .Response }}" if found[1].is_legacy else 'the content of messages whose .Role is "assistant"'
        message = "this template does not show the model its own past answers"
        yield Finding(heading(found[0]), message, f"print {where}")
