r"""The PARSER expects an opened reasoning, and the template does not open it.

## What it does
Reports a thinking PARSER that takes everything before `</think>` for reasoning, beside a TEMPLATE whose prompts do not end with an opening
tag.

## Why
Such a parser begins inside of the reasoning. An answer without `</think>` arrives as thinking alone, with an empty content.

## Example
```modelfile
FROM ./r1.gguf
PARSER qwen3.5
TEMPLATE "{{ range .Messages }}<｜{{ .Role }}｜>{{ .Content }}{{ end }}<｜Assistant｜>"
```

## Use instead
```modelfile
FROM ./r1.gguf
PARSER qwen3.5
TEMPLATE "{{ range .Messages }}<｜{{ .Role }}｜>{{ .Content }}{{ end }}<｜Assistant｜><think>"
```

## Fix safety
There is no fix.

## Source
Ollama model/parsers, run on answers with and without reasoning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import used
from modelsmith.lint.templates.thinking import OPENING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a parser that begins where the template does not."""
    found, given = used(document), document.find("PARSER")
    if found is None or not given or document.find("RENDERER") or (document.model and document.model.renderer):
        return
    from modelsmith.template.effective.renderers import PARSERS

    reads = PARSERS.get(given[-1].value)
    if reads is None or not (reads.thinking and reads.unset and reads.on):
        return
    prompt = probes(found[1]).prompt("user", think=True)
    if not prompt or OPENING.search(prompt):
        return
    message = f"PARSER {reads.name} begins inside of the reasoning, but prompts of this TEMPLATE do not open it"
    hint = 'end the generation prompt with {{ "<think>\\n" }}: `modelsmith apply force-think`'
    yield Finding(given[-1].value_span, message, hint)
