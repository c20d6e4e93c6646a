"""A trace of a shell or of Markdown was copied into the file.

## What it does
Reports code fences, prompts and commands of a shell, the end of a here-document, merge conflicts, and messages that a program
printed into the file.

## Why
Ollama stops there: `command must be one of …`. Modelfiles are often pasted from pages, or written by `ollama show --modelfile >`
with a message of the console in it.

## Example
```modelfile
$ cat Modelfile
FROM llama3.2:3b
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
Unsafe: the line is removed.

## Source
Ollama issues 4676 and 12755.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.lines import delete_lines
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_KINDS = (
    (("```", "~~~"), "a code fence of Markdown", "keep what is between the fences"),
    (("<<<<<<<", "=======", ">>>>>>>", "@@"), "a trace of a merge", "resolve the conflict"),
    (("EOF", "'EOF'"), "the end of a here-document of a shell", "keep what is before it"),
    (
        ("failed to get console mode",),
        "a message of the console",
        "write the file with `modelsmith show MODEL > Modelfile`",
    ),
    (("---", "<"), "a trace of another format", "a Modelfile has instructions and comments only"),
)


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield lines that belong to the page or the terminal."""
    for blame in blamed(document, "MS114"):
        line = document.text[blame.node.span.start : blame.node.span.end].splitlines()[0].rstrip()
        what, hint = next(
            ((what, hint) for starts, what, hint in _KINDS if line.startswith(starts)),
            ("a command of a shell", "a Modelfile runs nothing; commands belong into a script"),
        )
        span = Span(blame.node.span.start, blame.node.span.start + len(line))
        yield Finding(
            span,
            f"this line is {what}, not an instruction",
            hint,
            unsafe_fix("remove it", delete_lines(document, blame.node)),
        )
