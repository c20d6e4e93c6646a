"""Ollama does not use this TEMPLATE.

## What it does
Reports a TEMPLATE beside a RENDERER, its own or one that the base brings along, and a TEMPLATE that loses against the Jinja
template inside the GGUF.

## Why
Ollama does not tell when it builds prompts in another way: the TEMPLATE can be edited as often as one likes, and no prompt changes.

## Example
```modelfile
FROM ./qwen3.5.gguf
RENDERER qwen3.5
TEMPLATE "<|im_start|>user {{ .Prompt }}<|im_end|>"
```

## Use instead
```modelfile
FROM ./qwen3.5.gguf
TEMPLATE "<|im_start|>user {{ .Prompt }}<|im_end|>"
```

## Fix safety
There is no fix: each way to make the TEMPLATE count has its own price; `modelsmith explain` lists them.

## Source
Ollama server/routes.go (usesOllamaRenderedChat, shouldUseGoTemplate) and server/create.go; ollama issues 14560, 14722, 16792.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.effective import effective, last, library_renderer, names
from modelsmith.lint.templates.template import counted, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_BARE = "{{.Prompt}}"
_NOT_USED = re.compile(r"(?:,? and|, so|:) the TEMPLATE is not used")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a TEMPLATE that something else wins against."""
    found = counted(document)
    if found is None or document.modelfile is None:
        return
    embedded, template = found
    if "".join(template.text.split()) == _BARE:
        return  # what `ollama show --modelfile` writes for such models; nobody expects anything of it
    span = heading(embedded)
    running = effective(document)
    if running is not None and running.source in ("renderer", "jinja"):
        renderer, _ = names(document)
        inherited = running.source == "renderer" and not last(document, "RENDERER")
        reason = f"the base brings RENDERER {renderer} along, which builds the prompt"
        if not inherited:
            reason = _NOT_USED.sub("", running.reason)
        hint = running.ways[0] if running.ways else ""
        yield Finding(span, f"this TEMPLATE is not used: {reason}", hint)
    elif running is None and (renderer := library_renderer(document)):
        base = last(document, "FROM")
        # by its name alone, without a look at the model: advice, not more
        message = f"this TEMPLATE is not used: {base} of Ollama's library brings RENDERER {renderer} along"
        yield Finding(
            span,
            message,
            'create the model from its GGUF file; RENDERER "" cannot clear what FROM inherits',
            severity=Severity.INFO,
        )
