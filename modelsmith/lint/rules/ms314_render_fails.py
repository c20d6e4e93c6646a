"""Ollama accepts the template, and requests fail when it is rendered.

## What it does
Renders a few conversations, and reports those that fail, at the place that Go's error names. Calls of a template that nothing
defines are reported even where no conversation came by.

## Why
`ollama create` succeeds, and then every request of that kind is answered by HTTP 500.

## Example
```modelfile
FROM ./base.gguf
TEMPLATE "{{ json .Prompt }}{{ .Response }}"
```

## Use instead
```modelfile
FROM ./base.gguf
TEMPLATE "{{ .Prompt }}{{ .Response }}"
```

## Fix safety
There is no fix.

## Source
Proven by rendering; Go, text/template/exec.go; Ollama template/template.go (the last turn of a template without .Messages).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import WORDS, probes
from modelsmith.lint.templates.template import heading, nodes, used
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.source import Span
    from modelsmith.template.go.template import Template

_PLACE = regex(r"template: :(\d+):(\d+): executing .*? at <(.*?)>: (.*)", re.DOTALL)


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield failing conversations, each cause once."""
    found = used(document)
    if found is None:
        return
    from modelsmith.lint.templates.fields import fields_of
    from modelsmith.lint.templates.types import ROOT

    embedded, template = found
    explained = [unknown for unknown in fields_of(template).unknown if unknown.owner is not ROOT]
    failing: dict[Span, list[str]] = {}
    first: dict[Span, tuple[str, str]] = {}
    for chat in _chats(template):
        error = probes(template).outcome(chat).error
        if error is not None:
            span, reason = _place(embedded, error.message)
            failing.setdefault(span, []).append(WORDS[chat])
            first.setdefault(span, (reason, error.hint))
    for span, chats in failing.items():
        if any(
            embedded.offset(unknown.end) > span.start and embedded.offset(unknown.start) < span.end
            for unknown in explained
        ):
            continue
        which = "every request" if len(chats) == len(_chats(template)) else " and ".join(chats)
        yield Finding(span, f"rendering {which} fails: {first[span][0]}", first[span][1])
    yield from _undefined(embedded, template, set(failing))


def _chats(template: Template) -> tuple[str, ...]:
    more = ("tools",) if {"tools", "toolcalls"} & set(template.variables) else ()
    return ("user", "system", "begun", *more)


def _place(embedded: EmbeddedTemplate, message: str) -> tuple[Span, str]:
    match = _PLACE.match(message)
    if match is None:
        return heading(embedded), message
    offset = _offset(embedded.text, int(match[1]), int(match[2]))
    context = match[3]
    start = embedded.text.find(context, max(0, offset - len(context) - 2))
    if 0 <= start <= offset:
        offset, length = start, len(context)
    else:
        length = len(re.match(r"[^\s{}()|]*", embedded.text[offset:]).group())  # type: ignore[union-attr]  # matches nothing too
    return embedded.span(offset, offset + length), match[4]


def _offset(text: str, line: int, column: int) -> int:
    """Return the place of Go's line and column; the column counts bytes from 0."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    written = text[start : start + column].encode("utf-8", "surrogatepass")[:column]
    return start + len(written.decode("utf-8", "ignore"))


def _undefined(embedded: EmbeddedTemplate, template: Template, reported: set[Span]) -> Iterator[Finding]:
    from modelsmith.syntax.gotemplate.nodes import TemplateCall

    for node in nodes(template):
        if isinstance(node, TemplateCall) and node.name not in template.tree.templates:
            place = embedded.span(node.name_start, node.name_start + len(node.name) + 2)
            if not any(place.start < span.end and span.start < place.end for span in reported):
                yield Finding(
                    place, f'no template is called "{node.name}": rendering this fails', "add its {{ define }}"
                )
