r"""The template opens the reasoning even where a request says `think: false`.

## What it does
Renders a chat with `think: false`, and reports that the prompt ends with the opening tag all the same.

## Why
The model thinks, and Ollama does not look for its tags then: the reasoning and a lone `</think>` arrive as the answer.

## Example
```gotmpl
{{ range .Messages }}{{ .Role }}: {{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}
{{ end }}assistant: {{ "<think>\n" }}
```

## Use instead
```gotmpl
{{ range .Messages }}{{ .Role }}: {{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}
{{ end }}assistant: {{ if and $.IsThinkSet (not $.Think) }}{{ "<think>\n\n</think>\n\n" }}{{ else }}{{ "<think>\n" }}{{ end }}
```

## Fix safety
There is no fix; `modelsmith apply force-think` writes a template that obeys.

## Source
Ollama server/routes.go and thinking/parser.go; what a live Ollama did with each form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.thinking import parser, prefill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield an opening tag that think: false does not take away."""
    found = prefill(document)
    if found is None or not found.when_off or not all(found.template.thinking_tags):
        return
    from modelsmith.template.effective.renderers import PARSERS

    reads = PARSERS.get(parser(document))
    if reads is not None and reads.off:
        return
    message = (
        f"prompts end with {found.tag} even for think: false, and then nothing splits the reasoning from the answer"
    )
    hint = 'ask {{ if and $.IsThinkSet (not $.Think) }} and print {{ "<think>\\n\\n</think>\\n\\n" }} there'
    yield Finding(found.place, message, hint)
