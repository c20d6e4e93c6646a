"""REQUIRES is no version.

## What it does
Reports a REQUIRES that is not written like 0.14.0.

## Why
`ollama create` stops with `requires must be a valid semver`. It names the oldest Ollama that works, so `>=` is not needed, and not
allowed.

## Example
```modelfile
FROM llama3.2:3b
REQUIRES >=0.14
```

## Use instead
```modelfile
FROM llama3.2:3b
REQUIRES 0.14
```

## Fix safety
Safe for signs and words before the version; unsafe where more is cut off.

## Source
Ollama parser/parser.go (CreateRequest); golang.org/x/mod/semver.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.comments import comment_of
from modelsmith.lint.facts.lines import shortened
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit
from modelsmith.syntax.modelfile.table import required_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_PREFIX = regex(r"(?:ollama)?\s*(?:>=?|=+|\^|~>?|:)?\s*[vV]?\s*(?=\d)", re.IGNORECASE)
_LONGEST = 100
_VERSION = regex(r"(\d+)\.(\d+)(?:\.(\d+))?")


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield a REQUIRES that Ollama refuses; each is read, not only the last."""
    for instruction in document.find("REQUIRES"):
        if required_version(instruction.value) is not None or comment_of(instruction) is not None:
            continue
        if not instruction.value:
            yield Finding(instruction.keyword_span, "REQUIRES has no value", "write a version such as 0.14.0")
            continue
        fix = _fix(instruction.value)
        edit = Edit(instruction.quoted_span, fix[0]) if fix else None
        make = safe_fix if fix and fix[1] else unsafe_fix
        yield Finding(
            instruction.quoted_span,
            f'"{shortened(instruction.value)}" is not a version that REQUIRES accepts',
            "it names the oldest Ollama that works, without >= or spaces, such as 0.14.0",
            make(f"write {fix[0]}", edit) if fix and edit else None,
        )


def _fix(value: str) -> tuple[str, bool] | None:
    """Return the version in a text, and whether it is all there is."""
    if len(value) > _LONGEST:
        return None
    prefix = _PREFIX.match(value)
    rest = value[prefix.end() :].strip() if prefix else value
    if required_version(rest) is not None:
        return rest, True
    if found := _VERSION.search(value):
        version = ".".join(str(int(part)) for part in found.groups() if part)
        return version, False
    return None
