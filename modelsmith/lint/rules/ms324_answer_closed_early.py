"""The prompt ends the answer's turn before the answer begins.

## What it does
Renders a request, and reports prompts that open the assistant's turn and close it at once, such as
`<|im_start|>assistant<|im_end|>`.

## Why
The model reads that the answer is over: it writes nothing, or the next turn of the user.

## Example
```modelfile
FROM ./chatml.gguf
TEMPLATE "{{ range .Messages }}<|im_start|>{{ .Role }} {{ .Content }}<|im_end|>{{ end }}<|im_start|>assistant {{ .Response }}<|im_end|>"
```

## Use instead
```modelfile
FROM ./chatml.gguf
TEMPLATE "{{ range .Messages }}<|im_start|>{{ .Role }} {{ .Content }}<|im_end|>{{ end }}<|im_start|>assistant "
```

## Fix safety
There is no fix.

## Source
Proven by rendering. Ollama template/template.go (Execute): only a template without `.Messages` is cut at `{{ .Response }}`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import USER, probes
from modelsmith.lint.templates.template import END, heading, used
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_OPENED = regex(
    r"(?:\b(?:assistant|model|gpt|bot|ai|response|answer)\b|\[/INST\])"
    r"(?:<\|(?:end_header_id|message|end_of_role|role_end)\|>|[\s:|｜>\]#*]){0,20}\Z",
    re.IGNORECASE,
)
"""The assistant's turn begins, and nothing else stands behind that."""


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template whose prompts end behind the answer."""
    found = used(document)
    if found is None:
        return
    embedded, template = found
    prompt = probes(template).prompt("user").rstrip()
    if USER not in prompt:
        return
    tail = prompt[prompt.rfind(USER) + len(USER) :]
    end = next((token for token in END.finditer(tail) if token.end() == len(tail)), None)
    if end is None or not _OPENED.search(tail[: end.start()]):
        return
    message = f"prompts end with {end[0]} behind the opened turn of the assistant: the answer is over before it begins"
    yield Finding(heading(embedded), message, f"end the prompt before {end[0]}: only past answers are followed by it")
