"""The folder lacks something that Ollama needs to convert it.

## What it does
Looks into the folders that FROM and ADAPTER name: weights under names that Ollama does not look for, no `config.json`, no
tokenizer, parts that are missing.

## Why
Ollama picks files by their names and says only "no Modelfile or safetensors files found", or fails after the upload.

## Example
<!-- needs a folder -->
```modelfile
FROM ./my-model
```

## Use instead
```modelfile
FROM ./my-model.gguf
```

## Fix safety
There is no fix.

## Source
Ollama parser/parser.go (filesForModel), convert/convert.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.surroundings import PathKind
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


_TAKEN = regex(r"(model|adapter|consolidated).*\.safetensors|.*\.(gguf|bin|pth)")
_PART = regex(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")
_TOKENIZERS = {"tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "vocab.txt"}


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield folders that cannot be converted."""
    for keyword in ("FROM", "ADAPTER"):
        for instruction in document.find(keyword):
            facts = (document.surroundings.paths or {}).get(instruction.value)
            if facts and facts.kind is PathKind.FOLDER:
                for message, hint in _lacks(facts.entries, is_adapter=keyword == "ADAPTER"):
                    yield Finding(instruction.value_span, f"{instruction.value} {message}", hint)


def _lacks(names: tuple[str, ...], *, is_adapter: bool) -> Iterator[tuple[str, str]]:
    weights = [name for name in names if _TAKEN.fullmatch(name)]
    others = [name for name in names if name.endswith(".safetensors") and name not in weights]
    if not weights:
        seen = f"; {others[0]} is not a name that it takes" if others else ""
        yield (
            f"has no weights that Ollama looks for{seen}",
            "call them model.safetensors, or name the .gguf file itself",
        )
        return
    if not any(name.endswith(".safetensors") for name in weights):
        return
    config = "adapter_config.json" if is_adapter else "config.json"
    if config not in names:
        yield f"has no {config}", "take it from the model's repository"
    if not is_adapter and not _TOKENIZERS & set(names):
        yield "has no tokenizer", "take tokenizer.json or tokenizer.model from the model's repository"
    for stem, count, missing in _holes(weights):
        yield f"lacks part {missing} of {count} of {stem}", "fetch the missing part"


def _holes(weights: list[str]) -> Iterator[tuple[str, int, int]]:
    found: dict[tuple[str, int], set[int]] = {}
    for name in weights:
        if match := _PART.fullmatch(name):
            found.setdefault((match[1], int(match[3])), set()).add(int(match[2]))
    for (stem, count), numbers in found.items():
        for number in range(1, min(count, 1000) + 1):
            if number not in numbers:
                yield stem, count, number
                break
