'''A quote is opened and never closed.

## What it does
Reports `"` and `"""` that no line end closes: nothing but blanks may follow a closing quote on its line.

## Why
Ollama reads on to the end of the file and stops with `unexpected EOF`, without a line. A comment behind a closing quote keeps
it open, too.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM """You are terse.""" # keep it short
PARAMETER temperature 0.7
```

## Use instead
```modelfile
FROM llama3.2:3b
# keep it short
SYSTEM """You are terse."""
PARAMETER temperature 0.7
```

## Fix safety
Safe: a comment behind the closing quote moves to the line above. Unsafe: other text behind it is removed; a missing quote is
put before the next line that begins with an instruction, or at the end.

## Source
Ollama parser/parser.go (unquote); ollama issue 7251.
'''

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.lines import end_of_line, line_above, rest_of_line
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.syntax.modelfile.table import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document

_NEXT = regex(rf"^(?:#[^\r\n]*[\r\n]+)*[ \t]*(?:{'|'.join(INSTRUCTIONS)})[ \t]", re.MULTILINE)
_COMMENT = regex(r"[ \t]*(?:#|//)[ \t]*")


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield quotes without an end."""
    for blame in blamed(document, "MS102"):
        node = blame.node
        if not isinstance(node, Instruction):
            continue
        opening = Span(node.quoted_span.start, node.value_span.start)
        closing = document.text.find(node.quote, node.value_span.start)
        if closing < 0:
            hint = f"{node.keyword} reads on to the end of the file; close it with {node.quote} at the end of its last line"
            yield Finding(opening, f"the {node.quote} opened here is never closed", hint, _closed(document, node))
            continue
        rest = rest_of_line(document.text, closing + len(node.quote))
        text = rest.of(document.text)
        message = f"text after {node.quote} keeps it open: {node.keyword} reads on to the end of the file"
        hint = f"the closing {node.quote} must be the last thing on its line"
        shift = len(text) - len(text.lstrip())
        yield Finding(Span(rest.start + shift, rest.end), message, hint, _without(document, node, rest, text))


def _without(document: Document, node: Instruction, rest: Span, text: str) -> Fix:
    if found := _COMMENT.match(text):
        above = line_above(document, node.span.start, f"# {text[found.end() :]}".rstrip())
        return safe_fix("move the comment to the line above", above, Edit.delete(rest))
    return unsafe_fix(f"remove {text.strip()}", Edit.delete(rest))


def _closed(document: Document, node: Instruction) -> Fix:
    following = _NEXT.search(document.text, end_of_line(document.text, node.value_span.start))
    if node.quote == '"':
        end = end_of_line(document.text, node.value_span.start)
    else:
        end = len(document.text[: following.start() if following else None].rstrip())
    return unsafe_fix(f"close it with {node.quote}", Edit.insert(max(end, node.value_span.start), node.quote))
