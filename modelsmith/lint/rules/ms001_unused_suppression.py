"""A comment silences a rule that finds nothing there.

## What it does
Reports codes in `# modelsmith: ignore[...]` that silence nothing.

## Why
The comment would hide the next finding of that rule at this place, which nobody has looked at.

## Example
```modelfile
# modelsmith: ignore[MS202] was 8k once
PARAMETER num_ctx 8192
FROM llama3.2:3b
```

## Use instead
```modelfile
PARAMETER num_ctx 8192
FROM llama3.2:3b
```

## Fix safety
Safe: a comment is removed, or the one code in it.

## Source
As in other linters; a rule that was not run is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.rule import Finding


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Find nothing: only the engine knows what was silenced (``modelsmith.lint.run.unused``)."""
    del document
    yield from ()
