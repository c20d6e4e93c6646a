"""The template loses what the file or the base has: the system prompt, tools, thinking, or filling in.

## What it does
Reports a SYSTEM that the template never shows, proven by rendering, and with the base at hand the capabilities that its own
template gives it and this one does not.

## Why
SYSTEM is then without effect. Without `.Tools` Ollama answers requests with tools by an error; likewise `think` without
`.Thinking` and `suffix` without `.Suffix`.

## Example
```modelfile
FROM ./mistral.gguf
TEMPLATE "[INST] {{ .Prompt }} [/INST]"
SYSTEM You are a pilot.
```

## Use instead
```modelfile
FROM ./mistral.gguf
TEMPLATE "[INST] {{ if .System }}{{ .System }} {{ end }}{{ .Prompt }} [/INST]"
SYSTEM You are a pilot.
```

## Fix safety
There is no fix.

## Source
Ollama template/template.go (Execute) and server/images.go (Capabilities); ollama issues 693, 8717, 8956, 13768.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.effective import names
from modelsmith.lint.templates.probe import ANSWER, NEXT, SYSTEM, USER, probes
from modelsmith.lint.templates.template import heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_FIELDS = {"tools": ".Tools", "thinking": ".Thinking", "insert": ".Suffix"}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a SYSTEM that is never shown, and capabilities that the base had."""
    found = used(document)
    if found is None or document.modelfile is None:
        return
    embedded, template = found
    prompt = probes(template).prompt("system")
    systems = [instruction for instruction in document.find("SYSTEM") if instruction.value]
    inherited = document.model.system if document.model else ""
    if (
        prompt
        and SYSTEM not in prompt
        and (systems or inherited)
        and (USER in prompt or ANSWER in prompt or NEXT in prompt)
    ):
        span = systems[-1].keyword_span if systems else heading(embedded)
        whose = "this SYSTEM" if systems else "the SYSTEM that the base brings along"
        yield Finding(span, f"the template never shows {whose} to the model", "print {{ .System }} in the TEMPLATE")
    lost = _lost(document)
    if lost:
        missing = " and ".join(_FIELDS[name] for name in lost)
        message = f"the base can do {' and '.join(lost)}; a model with this TEMPLATE cannot"
        yield Finding(heading(embedded), message, f"use {missing} as the template of the base does")


def _lost(document: Document) -> list[str]:
    model, embedded = document.model, document.template
    if model is None or not model.is_stored or not model.template or embedded is None or embedded.template is None:
        return []
    from modelsmith.errors import TemplateSyntaxError
    from modelsmith.template.effective.capabilities import go_capabilities
    from modelsmith.template.effective.renderers import PARSERS

    try:
        before = go_capabilities(model.template)
    except TemplateSyntaxError:
        return []
    parser = PARSERS.get(names(document)[1])
    after = go_capabilities(embedded.template) | (parser.capabilities if parser else frozenset())
    return sorted(before - after)
