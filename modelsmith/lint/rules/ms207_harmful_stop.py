"""A stop ends answers where it should not, or never.

## What it does
Reports an empty stop, a blank or a line end alone, tags around reasoning, a role's name as it occurs in prose, a stray quote at
one end. A token that only begins texts is information.

## Why
The first stop that occurs ends the answer: `<think>` ends it at its first token, `User` at the first mention of a user. A stop with a
stray quote never occurs, so the model talks on.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER stop <think>
PARAMETER stop <|im_end|>"
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER stop <|im_end|>
```

## Fix safety
Unsafe: the stop, or the stray quote, is removed.

## Source
Ollama llm/llama_server.go (stop); ollama issues 17939, 3977 and 5992.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.template import BEGINNINGS
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_REASONING = frozenset(
    {
        "<think>",
        "</think>",
        "<thinking>",
        "</thinking>",
        "<|channel|>",
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        "<reasoning>",
    }
)
_PROSE = frozenset(
    {"user", "assistant", "human", "system", "ai", "bot", "question", "answer", ".", ",", "!", "?", "-", "*", "#"}
)
_IN_EVERY_ANSWER = frozenset({"<|start|>", "<|message|>"})


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield stops that do harm."""
    for instruction in document.find("PARAMETER", "stop"):
        if reason := _harm(instruction.value):
            fix = unsafe_fix("remove the line", delete_lines(document, instruction))
            span = instruction.quoted_span if instruction.value else instruction.span
            yield Finding(
                span, f"the stop {_shown(instruction.value)} {reason}", "name the token that ends a turn", fix
            )
        elif instruction.value in BEGINNINGS:
            message = f"the stop {instruction.value} only begins texts: it stops nothing, as no answer has it"
            fix = unsafe_fix("remove the line", delete_lines(document, instruction))
            yield Finding(instruction.quoted_span, message, "name the token that ends a turn", fix, Severity.INFO)
        elif stray := _stray(instruction):
            message = f"the stop {_shown(instruction.value)} has a stray quote in it and never occurs"
            yield Finding(stray, message, "remove the quote", unsafe_fix("remove the quote", Edit.delete(stray)))


def _harm(stop: str) -> str:
    if not stop:
        return "is empty: it says nothing"
    if not stop.strip():
        return "ends the answer at the first line end" if "\n" in stop and len(stop) == 1 else _blank(stop)
    if stop in _REASONING:
        return "ends the answer of a thinking model before it has answered"
    if stop.lower() in _PROSE:
        return "is a word or sign of ordinary text and ends the answer there"
    return "is in every message of gpt-oss and ends it there" if stop in _IN_EVERY_ANSWER else ""


def _blank(stop: str) -> str:
    return "ends the answer at the first blank" if len(stop) == 1 else ""


def _stray(instruction: Instruction) -> Span | None:
    """Return the quote at one end of a stop that has none at the other."""
    value, span = instruction.value, instruction.value_span
    if len(value) < 3 or instruction.quote == '"""' or span.end - span.start != len(value):
        return None
    for quote in ('"', "'"):
        if value.count(quote) == 1 and value.endswith(quote) and not value[-2].isspace() and not value[-2].isalnum():
            return Span(span.end - 1, span.end)
        if value.count(quote) == 1 and value.startswith(quote) and not value[1].isspace():
            return Span(span.start, span.start + 1)
    return None


def _shown(stop: str) -> str:
    return f'"{stop}"' if stop.isprintable() else repr(stop)
