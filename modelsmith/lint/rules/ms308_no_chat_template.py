"""The model has no chat template at all.

## What it does
With the GGUF at hand: reports a Modelfile without TEMPLATE and RENDERER whose GGUF holds no `tokenizer.chat_template`.

## Why
Ollama then falls back to a bare `{{ .Prompt }}` or to ChatML, which the model was most likely not trained on: it rambles, answers
itself, and never stops. Models that embed, rank or decide do not chat, and need none.

## Example
<!-- needs a model -->
```modelfile
FROM ./vicuna-33b.Q4_0.gguf
```

## Use instead
```modelfile
FROM ./vicuna-33b.Q4_0.gguf
TEMPLATE "{{ if .System }}{{ .System }} {{ end }}USER: {{ .Prompt }} ASSISTANT: {{ .Response }}</s>"
PARAMETER stop "USER:"
```

## Fix safety
There is no fix: which template the model was trained on, its maker says.

## Source
Ollama server/routes.go and template/template.go (DefaultTemplate); ollama issues 2673 and 3759.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.effective import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_NO_CHAT = ("bert", "clip", "t5", "mmproj", "whisper", "embedding", "reranker")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a FROM whose model has nothing to chat with."""
    model, bases = document.model, document.find("FROM")
    if model is None or not bases or any(instruction.value for instruction in document.find("TEMPLATE")):
        return
    if model.chat_template or model.template or names(document)[0]:
        return
    if (
        model.is_decision
        or "embedding" in model.capabilities
        or any(word in model.architecture.lower() for word in _NO_CHAT)
    ):
        return
    if not model.architecture and not model.is_stored:
        return  # nothing is known of it
    message = f"{model.name} has no chat template, and this Modelfile gives it none"
    yield Finding(bases[-1].value_span, message, "add the TEMPLATE that the model was trained on, and its stop tokens")
