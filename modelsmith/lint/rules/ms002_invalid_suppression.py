"""A comment for modelsmith is not understood, so it silences nothing.

## What it does
Reports `# modelsmith:` comments with another word than `ignore` or `ignore-file`, without codes, or with unknown codes.

## Why
Nothing is silenced, and whoever reads the file believes otherwise.

## Example
```modelfile
# modelsmith: ignore[MS9999]
FROM llama3.2:3b
```

## Use instead
```modelfile
# modelsmith: ignore[MS508] we follow this tag on purpose
FROM llama3.2
```

## Fix safety
There is no fix.

## Source
modelsmith.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.lint.facts.suppress import WORDS, suppressions
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.rules import rule_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield comments for modelsmith that say nothing it knows."""
    hint = "write # modelsmith: ignore[MS104] and the reason, on the line above"
    for comment in suppressions(document):
        if comment.word not in WORDS:
            yield Finding(comment.span, f'"modelsmith: {comment.word}" is none of {", ".join(WORDS)}', hint)
        elif not comment.codes:
            yield Finding(comment.span, f"{comment.word} names no rule", hint)
        for code, span in comment.codes:
            if code not in rule_codes():
                close = did_you_mean(code, rule_codes())
                yield Finding(span, f'there is no rule "{code}"{close}', "`modelsmith rules` lists them")
