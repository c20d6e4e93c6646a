"""The file has no LICENSE, or not one that your policy allows.

## What it does
With `requires-license`, every Modelfile must have a LICENSE; with `allowed-licenses`, one of these texts must occur in it.
Silent without these settings.

## Why
A model that is passed on without its licence is passed on without permission.

## Example
<!-- needs a policy -->
```modelfile
FROM llama3.2:3b
```

## Use instead
```modelfile
FROM llama3.2:3b
LICENSE Apache License, Version 2.0
```

## Fix safety
There is no fix.

## Source
Your modelsmith.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield files that break the policy on licences; licences of a stored base count too."""
    policy = document.settings.policy
    if document.modelfile is None or not (policy.requires_license or policy.allowed_licenses):
        return
    own = document.find("LICENSE")
    texts = [instruction.value for instruction in own] + list(document.model.licenses if document.model else ())
    sources = document.find("FROM")
    if not any(texts):
        place = sources[-1].keyword_span if sources else Span(0, 0)
        yield Finding(
            place, "there is no LICENSE, and the policy requires one", "add a LICENSE with the text of the licence"
        )
    elif policy.allowed_licenses and not any(_holds(text, policy.allowed_licenses) for text in texts):
        place = own[-1].keyword_span if own else sources[-1].keyword_span if sources else Span(0, 0)
        yield Finding(
            place, "no LICENSE is one that the policy allows", f"allowed: {', '.join(policy.allowed_licenses)}"
        )


def _holds(text: str, allowed: tuple[str, ...]) -> bool:
    return any(license_name.casefold() in text.casefold() for license_name in allowed)
