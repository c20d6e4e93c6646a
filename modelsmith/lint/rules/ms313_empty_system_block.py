"""Without a system prompt the template shows the model an empty one.

## What it does
Renders a chat without a system message, and reports that the tags around `.System` are in the prompt all the same.

## Why
`<|im_start|>system <|im_end|>` with nothing in it is something that most models have never seen.

## Example
```modelfile
FROM ./chatml.gguf
TEMPLATE "<|im_start|>system {{ .System }}<|im_end|><|im_start|>user {{ .Prompt }}<|im_end|><|im_start|>assistant "
```

## Use instead
```modelfile
FROM ./chatml.gguf
TEMPLATE "{{ if .System }}<|im_start|>system {{ .System }}<|im_end|>{{ end }}<|im_start|>user {{ .Prompt }}<|im_end|><|im_start|>assistant "
```

## Fix safety
There is no fix.

## Source
Proven by rendering; the templates of Ollama's library ask `{{ if .System }}` first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import SYSTEM, probes
from modelsmith.lint.templates.template import has_system, used
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_OPENED = regex(r"(?:system|sys|SYSTEM_PROMPT)\W{0,20}\Z", re.IGNORECASE)


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield the place that prints .System between tags, whether there is one or not."""
    found = used(document)
    if found is None or has_system(document):
        return
    embedded, template = found
    with_system = probes(template).prompt("system")
    if with_system.count(SYSTEM) != 1 or with_system.replace(SYSTEM, "") != probes(template).prompt("turns"):
        return
    if not _OPENED.search(with_system.partition(SYSTEM)[0]):
        return
    for piece in probes(template).pieces("system"):
        if SYSTEM in piece.text and piece.node_span is not None:
            message = "without a system prompt, its tags are printed all the same, with nothing between them"
            hint = "put {{ if .System }} … {{ end }} around the tags too"
            yield Finding(embedded.span(piece.node_span.start, piece.node_span.end), message, hint)
