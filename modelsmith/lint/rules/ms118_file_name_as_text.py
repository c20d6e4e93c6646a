"""A text instruction names a file, and Ollama does not read it.

## What it does
Reports LICENSE, SYSTEM, TEMPLATE and MESSAGE whose whole value is a path, `@file` or `$(cat file)`.

## Why
Only FROM, ADAPTER and DRAFT take paths. `SYSTEM ./prompt.txt` makes the path itself the system prompt, and with
`TEMPLATE ./chat.gotmpl` each prompt is those few letters.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM ./prompt.txt
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "You are a helpful assistant."
```

## Fix safety
There is no fix: the rule sees only this file.

## Source
Ollama parser/parser.go (CreateRequest).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_LONGEST = 300
_ENDINGS = r"\.(?:txt|md|markdown|gotmpl|tmpl|jinja2?|j2|ya?ml|json|rst|html|pdf|template)"
_FILE = regex(
    rf"(?:@|file:(?://)?)?[\w./~\\:-]*[\w-]{_ENDINGS}|(?:\.\.?/|~/|@)[\w./-]+|(?:/[\w.-]+)+/[\w-]+|\$\(\s*(?:cat|<)\s[^)]*\)|`cat [^`]*`",
    re.IGNORECASE,
)
_LICENSE = regex(r"LICEN[SC]E|COPYING|NOTICE")
_URL = regex(r"[a-z]+://", re.IGNORECASE)


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield texts that are names of files."""
    for keyword in ("LICENSE", "SYSTEM", "TEMPLATE", "MESSAGE"):
        for instruction in document.find(keyword):
            value = instruction.value.strip()
            if len(value) > _LONGEST or (_URL.match(value) and not value.startswith("file:")):
                continue
            if _FILE.fullmatch(value) or (keyword == "LICENSE" and _LICENSE.fullmatch(value)):
                message = f"{keyword} is the text {value}: Ollama reads no file here"
                yield Finding(
                    instruction.value_span, message, "write the text itself, or make the Modelfile with a recipe"
                )
