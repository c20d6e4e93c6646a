r"""The template opens the reasoning, and Ollama cannot tell it from the answer.

## What it does
Reports prompts that end with `<think>` or another opening tag while no thinking tags can be inferred from the template, and no PARSER
reads the answer.

## Why
The opening tag stands in the prompt, so that the answer holds only `</think>`: clients show the reasoning as part of the answer, and
`think` is refused for the model.

## Example
```modelfile
FROM ./r1.gguf
TEMPLATE "{{ range .Messages }}<｜{{ .Role }}｜>{{ .Content }}{{ end }}<｜Assistant｜><think>"
```

## Use instead
```modelfile
FROM ./r1.gguf
TEMPLATE "{{ range .Messages }}<｜{{ .Role }}｜>{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}<｜Assistant｜><think>"
```

## Fix safety
Unsafe: a block that declares the tags is added, after a proof that other prompts stay as they were.

## Source
Ollama thinking/template.go (InferTags) and thinking/parser.go; what a live Ollama did with each form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import rewritten
from modelsmith.lint.templates.thinking import parser, prefill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document
    from modelsmith.lint.templates.thinking import Prefill

_LONGEST = 4000  # a proof over a longer template takes more time than a lint may


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield an opening tag that nobody closes for the client."""
    found = prefill(document)
    if found is None or all(found.template.thinking_tags) or parser(document):
        return
    message = f"prompts end with {found.tag}, but Ollama infers no thinking tags from this template: clients see only the closing one"
    if found.template.is_legacy:
        hint = "range over .Messages and print .Thinking between plain tags, or set a PARSER such as qwen3.5"
    else:
        hint = "print .Thinking between plain tags inside of the range over .Messages; `modelsmith apply force-think` does it"
    yield Finding(found.place, message, hint, _fix(found))


def _fix(found: Prefill) -> Fix | None:
    if found.template.is_legacy or len(found.template.text) > _LONGEST or not found.tag.startswith("<"):
        return None
    if not probes(found.template).is_light():
        return None
    from modelsmith.errors import ModelsmithError
    from modelsmith.template.edit.go.declare import declare_thinking

    try:
        declared = declare_thinking(found.template, found.tag, found.tag.replace("<", "</", 1))
    except ModelsmithError:
        return None
    edit = rewritten(found.embedded, declared.text)
    return unsafe_fix("declare the thinking tags", edit) if edit else None
