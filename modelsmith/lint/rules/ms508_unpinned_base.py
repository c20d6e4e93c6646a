"""The base model can change under the same name.

## What it does
Reports a FROM that names a model without a tag, or with `latest`.

## Why
Tags are moved: `deepseek-r1` was one model in January and another in May. Who builds the file later gets another base.

## Example
```modelfile
FROM deepseek-r1
```

## Use instead
```modelfile
FROM deepseek-r1:8b-llama-distill-q4_K_M
```

## Fix safety
There is no fix: which model was meant is in nobody's file.

## Source
ollama#13409, ollama#5751; advice, unless the policy `requires-pinned-base` makes it a rule of the house.
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


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield names of models that follow whatever is newest."""
    is_policy = document.settings.policy.requires_pinned_base
    for instruction in document.find("FROM"):
        facts = (document.surroundings.paths or {}).get(instruction.value)
        if (facts and facts.kind is not PathKind.MISSING) or not _is_name(instruction.value):
            continue
        if ModelName.parse(instruction.value).tag == "latest":
            tagless = (
                "has no tag" if ":" not in instruction.value.rpartition("/")[2] else "is moved to whatever is newest"
            )
            yield Finding(
                instruction.value_span,
                f"{instruction.value} {tagless}: it may be another model tomorrow",
                "name the tag of one size and quantization, such as :8b-q4_K_M",
                severity=Severity.ERROR if is_policy else None,
            )


def _is_name(value: str) -> bool:
    looks_like_path = value.startswith((".", "/", "~", "\\")) or value.lower().endswith(
        (".gguf", ".bin", ".safetensors")
    )
    return not looks_like_path and ModelName.parse(value).is_valid
