"""A comment behind a value is part of the value.

## What it does
Reports `#` comments (and `//`, `;`, `--` behind numbers) that follow a value on its line.

## Why
Ollama knows comments only at the start of a line. `num_ctx 4096 # tokens` is refused as a number, `FROM llama3.2 # small` names
another model, and a stop with a comment never stops anything.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 4096 # tokens
```

## Use instead
```modelfile
FROM llama3.2:3b
# tokens
PARAMETER num_ctx 4096
```

## Fix safety
The comment moves to a line of its own, above. Safe for numbers, names and paths; unsafe for texts, in which it may be meant.

## Source
Ollama parser/parser.go (ParseFile): `#` begins a comment only between commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.comments import WORDS, comment_of, moved
from modelsmith.lint.facts.lines import shortened
from modelsmith.lint.facts.parameter_faults import bad
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.lint.surroundings import PathKind
from modelsmith.parameters import PARAMETERS
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield comments that Ollama keeps."""
    refused = {id(parameter.instruction) for parameter in bad(document, "MS104")}
    for instruction in document.instructions:
        is_parameter = instruction.keyword == "PARAMETER"
        row = PARAMETERS.get(instruction.name)
        if is_parameter and id(instruction) not in refused and not (row and row.is_list):
            continue
        comment = comment_of(instruction)
        if comment is None or _is_path(document, instruction):
            continue
        text = comment.of(document.text)
        place = Span(comment.start + len(text) - len(text.lstrip()), comment.end)
        make = safe_fix if id(instruction) in refused or instruction.keyword in WORDS else unsafe_fix
        what = f"the value of {instruction.name}" if is_parameter else instruction.keyword
        is_error = id(instruction) in refused or instruction.keyword == "REQUIRES" or _is_missing(document, instruction)
        yield Finding(
            place,
            f'{what} is "{shortened(instruction.value)}": a comment behind a value is part of it',
            "write the comment on a line of its own",
            make("move the comment to the line above", *moved(document, instruction, comment)),
            Severity.ERROR if is_error else Severity.WARNING,
        )


def _is_path(document: Document, instruction: Instruction) -> bool:
    facts = (document.surroundings.paths or {}).get(instruction.value)
    return facts is not None and facts.kind is not PathKind.MISSING


def _is_missing(document: Document, instruction: Instruction) -> bool:
    facts = (document.surroundings.paths or {}).get(instruction.value)
    return facts is not None and facts.kind is PathKind.MISSING
