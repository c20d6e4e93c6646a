"""FROM names a model of a registry that your policy does not trust.

## What it does
Compares the host and namespace of FROM with `trusted-registries` of the policy. Silent without that setting.

## Why
Models are programs of a kind: who may supply them is a decision of the organisation.

## Example
<!-- needs a policy -->
```modelfile
FROM hf.co/somebody/a-model-GGUF:Q4_K_M
```

## Use instead
```modelfile
FROM models.example.com/approved/a-model:1.0
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
from modelsmith.lint.surroundings import PathKind
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield names whose host, or host and namespace, is not trusted; files are not the business of this rule."""
    trusted = document.settings.policy.trusted_registries
    if not trusted:
        return
    for keyword in ("FROM", "DRAFT"):
        for instruction in document.find(keyword):
            facts = (document.surroundings.paths or {}).get(instruction.value)
            name = ModelName.parse(instruction.value)
            if (
                not name.is_valid
                or (facts and facts.kind is not PathKind.MISSING)
                or instruction.value.lower().endswith(".gguf")
            ):
                continue
            place = f"{name.host}/{name.namespace}"
            if not any(
                place == entry.rstrip("/") or f"{place}/".startswith(f"{entry.rstrip('/')}/") for entry in trusted
            ):
                yield Finding(
                    instruction.value_span,
                    f"{instruction.value} comes from {place}, which the policy does not trust",
                    f"trusted: {', '.join(trusted)}",
                )
