"""Ollama refuses the file, and no other rule says why.

## What it does
Repeats Ollama's own sentence for a refusal that no other rule explains. Each name in a path may have 255 bytes, for example.

## Why
Whatever Ollama refuses must not pass unseen, even what nobody has thought of.

## Example
```modelfile
FROM llama3.2:3b
ADAPTER ./You-are-a-helpful-assistant-who-answers-in-two-sentences-You-are-a-helpful-assistant-who-answers-in-two-sentences-You-are-a-helpful-assistant-who-answers-in-two-sentences-You-are-a-helpful-assistant-who-answers-in-two-sentences-You-are-a-helpful-assistant-who-answers
```

## Use instead
```modelfile
FROM llama3.2:3b
ADAPTER ./lora.gguf
```

## Fix safety
There is no fix.

## Source
Ollama parser/parser.go (ParseFile, CreateRequest).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blames
from modelsmith.lint.facts.parameter_faults import bad_parameters
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.rules import rule_codes
from modelsmith.syntax.modelfile.reading import NO_FROM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_LONGEST_NAME = 255


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield what Ollama refuses beside what the other rules report."""
    if document.modelfile is None:
        return
    known = rule_codes()
    error = document.modelfile.as_ollama(document.target).error
    faults = blames(document)
    for fault in faults:
        if fault.code not in known:
            yield Finding(fault.node.span, f"Ollama stops here: {error}")
    if error and not faults and error.message != NO_FROM:
        yield Finding(document.modelfile.nodes[0].span, f"Ollama stops: {error}")
    for parameter in bad_parameters(document):
        if parameter.code not in known:
            yield Finding(parameter.instruction.value_span, f"Ollama stops here: {parameter.sentence}")
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for path in document.find(keyword):
            longest = max(path.value.split("/"), key=lambda name: len(name.encode("utf-8", "replace")))
            if len(longest.encode("utf-8", "replace")) > _LONGEST_NAME:
                hint = "this looks like text; did a quote go wrong?" if " " in longest else "no file has so long a name"
                message = f"Ollama takes {keyword} for a path and stops: file name too long"
                yield Finding(path.value_span, message, hint)
