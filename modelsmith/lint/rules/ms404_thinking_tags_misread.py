"""Ollama infers other thinking tags from the template than the model writes.

## What it does
Reports a template that prints `.Thinking` inside of `range .Messages`, where the first and last text of the block around it are not a
pair of tags: one is missing, is written as an action, or has more in it than the tag.

## Why
Ollama takes these two texts, as they stand, for the tags in the model's answers. With one missing the model counts as one that cannot
think; with more in them than the tag they never match, and the reasoning stays in the answer.

## Example
```gotmpl
{{ range .Messages }}{{ if .Thinking }}<|im_start|>assistant
<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}
```

## Use instead
```gotmpl
{{ range .Messages }}<|im_start|>{{ .Role }}
{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}
```

## Fix safety
There is no fix.

## Source
Ollama thinking/template.go (InferTags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.template import nodes, used
from modelsmith.lint.templates.thinking import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.go.template import Template

_HARMONY = "<|channel|>"


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a .Thinking block from which Ollama reads no pair of tags."""
    found = used(document)
    if found is None or "thinking" not in found[1].variables or parser(document) or not document.target.has("0.9.0"):
        return
    embedded, template = found
    opening, closing = template.thinking_tags
    if template.is_legacy or _HARMONY in template.text or (_is_tag(opening) and _is_tag(closing)):
        return
    node = _printed(embedded.template)
    if node is None:
        return
    if opening and closing:
        odd = closing if _is_tag(opening) else opening
        shown = " ".join(odd.split())
        message = f"Ollama takes {shown[:40]!r} for a thinking tag, which no answer has"
    else:
        side = "neither tag" if not opening and not closing else "no opening tag" if not opening else "no closing tag"
        message = f"Ollama infers {side} around .Thinking, so the model counts as one that cannot think"
    hint = "write {{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}, the tags as plain text and nothing else"
    yield Finding(embedded.span(node.start, node.end), message, hint)


def _is_tag(text: str) -> bool:
    return bool(text) and len(text) <= 40 and not any(char.isspace() for char in text) and text.count("<") <= 1


def _printed(template: Template | None) -> Node | None:
    """Return the first place that prints .Thinking."""
    from modelsmith.syntax.gotemplate.nodes import Action, Field

    for node in nodes(template) if template else ():
        if isinstance(node, Action) and not node.pipeline.declared:
            for command in node.pipeline.commands:
                for operand in command.operands:
                    if isinstance(operand, Field) and operand.names == ("Thinking",):
                        return operand
    return None
