'''PARSER without TEMPLATE turns the template in the GGUF off.

## What it does
Reports a PARSER where neither the file, nor the base, nor Ollama for this GGUF gives a TEMPLATE or a RENDERER. Where the GGUF is not at hand
it is information: Ollama brings its own template along for a GGUF whose Jinja template it knows.

## Why
With a PARSER Ollama renders prompts itself and does not use the Jinja template in the GGUF. Without a TEMPLATE it renders the bare
`{{ .Prompt }}`: no roles, no system prompt, no end of turns.

## Example
```modelfile
FROM ./qwen3-8b.gguf
PARSER qwen3-thinking
```

## Use instead
```modelfile
FROM ./qwen3-8b.gguf
PARSER qwen3-thinking
TEMPLATE """{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
<think>
"""
```

## Fix safety
There is no fix: `modelsmith convert` makes a TEMPLATE of the Jinja template.

## Source
Ollama server/routes.go (shouldUseGoTemplate), server/model.go (detectChatTemplate), server/create.go.
'''

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.comments import comment_of
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.effective import last, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a parser whose prompts nothing forms."""
    given = document.find("PARSER")
    if not given or not given[-1].value or comment_of(given[-1]) or last(document, "TEMPLATE"):
        return
    if names(document)[0] or not document.target.has("0.30.0"):
        return
    found = _template_comes_along(document)
    if found:
        return
    message = f"PARSER {given[-1].value} without TEMPLATE: Ollama renders the bare {{{{ .Prompt }}}}"
    hint = "add the TEMPLATE of the model"
    if document.model is None or document.model.chat_template:
        hint += "; `modelsmith convert` makes one of the Jinja template in the GGUF"
    if found is None:
        message += ", unless it knows the template in the GGUF"
    yield Finding(given[-1].value_span, message, hint, severity=Severity.INFO if found is None else None)


def _template_comes_along(document: Document) -> bool | None:
    """Say whether the base brings a TEMPLATE along, None where that is not known."""
    model = document.model
    if model is None:
        return None if last(document, "FROM").lower().endswith(".gguf") else True
    if model.is_stored:
        return bool(model.template) or not model.chat_template
    from modelsmith.template.effective.imported import imported

    return not model.architecture or imported(model.architecture, model.chat_template).template is not None
