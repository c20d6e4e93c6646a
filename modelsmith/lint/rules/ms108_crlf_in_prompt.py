r"""Carriage returns of Windows line ends are part of the prompt.

## What it does
Reports TEMPLATE, SYSTEM and MESSAGE values of several lines in files with CRLF line ends.

## Why
Inside of quotes Ollama keeps both characters. The model reads `\r\n` where it was trained on `\n`, some do not find the end of a
turn then, and the layer has another digest than the same file with LF.

## Example
<!-- needs CRLF line ends, which a page cannot show -->
```modelfile
FROM llama3.2:3b
SYSTEM "You are terse.␍
Answer in one sentence."
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "You are terse.
Answer in one sentence."
```

## Fix safety
Safe: the line ends of the whole file become LF. With git, `Modelfile text eol=lf` in .gitattributes keeps them so.

## Source
Ollama parser/parser.go (ParseFile); LocalAI issue 1876 tells of a model that loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.lines import plural
from modelsmith.lint.rule import Finding, rule, safe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_RETURN = regex(r"(?<!\r)\r+(?=\n)")
_TEXTS = frozenset({"TEMPLATE", "SYSTEM", "MESSAGE"})


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield values with carriage returns, the first with the fix for the whole file."""
    if "\r" not in document.text:
        return
    edits = [Edit.delete(Span(*found.span())) for found in _RETURN.finditer(document.text)]
    fix = safe_fix("write LF line ends in the whole file", *edits) if edits else None
    for instruction in document.instructions:
        if instruction.fault is not None or instruction.keyword not in _TEXTS or "\r" not in instruction.value:
            continue
        start = document.text.find("\r", instruction.value_span.start)
        count = instruction.value.count("\r")
        message = f"{plural(count, 'carriage return', 'carriage returns')} in {instruction.keyword}, which the model gets to read"
        yield Finding(Span(start, start + 1), message, "save the file with LF line ends", fix)
        fix = None
