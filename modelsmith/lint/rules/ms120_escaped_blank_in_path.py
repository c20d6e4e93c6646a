r"""A backslash stands before a blank in a path, as a shell wants it.

## What it does
Reports `\ ` in FROM, ADAPTER and DRAFT, unless there is such a file.

## Why
A Modelfile has no escapes: the backslash becomes part of the name, and the file is not found. A blank needs nothing, as the value goes on
to the end of its line.

## Example
```modelfile
FROM ./my\ model.gguf
```

## Use instead
```modelfile
FROM ./my model.gguf
```

## Fix safety
Unsafe: the backslashes are removed.

## Source
Ollama parser/parser.go (ParseFile, expandPath).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.surroundings import PathKind
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_ESCAPE = regex(r"\\(?= )")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield paths with blanks that are escaped."""
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in document.find(keyword):
            facts = (document.surroundings.paths or {}).get(instruction.value)
            if facts is None or facts.kind is PathKind.MISSING:
                yield from _escapes(document, instruction)


def _escapes(document: Document, instruction: Instruction) -> Iterator[Finding]:
    span = instruction.value_span
    found = [Span(span.start + m.start(), span.start + m.end()) for m in _ESCAPE.finditer(span.of(document.text))]
    if found:
        fix = unsafe_fix("remove the backslash", *(Edit.delete(place) for place in found))
        message = "Ollama takes this backslash for a part of the name: blanks in a Modelfile are not escaped"
        yield Finding(found[0], message, "write the blank alone", fix)
