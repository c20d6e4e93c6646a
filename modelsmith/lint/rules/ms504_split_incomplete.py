"""Parts of a split GGUF are missing.

## What it does
Reads the names of the parts (`model-00001-of-00003.gguf`) in all FROM lines and says which are missing, and that a part
alone is no model.

## Why
Ollama refuses a set with a part missing; the message comes only after every part that is there was hashed and sent.

## Example
```modelfile
FROM ./model-00001-of-00002.gguf
```

## Use instead
```modelfile
FROM ./model-00001-of-00002.gguf
FROM ./model-00002-of-00002.gguf
```

## Fix safety
Unsafe: lines for the missing parts are added.

## Source
Ollama server/create.go (splitGGUFNameRe, mergeSplitGGUF), ollama#5245.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction


_PART = regex(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_MOST = 100


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield sets of parts that are not whole."""
    sets: dict[tuple[str, int], dict[int, Instruction]] = {}
    for instruction in document.find("FROM"):
        if match := _PART.fullmatch(instruction.value):
            sets.setdefault((match[1], int(match[3])), {})[int(match[2])] = instruction
    for (stem, count), parts in sets.items():
        missing = [number for number in range(1, count + 1) if number not in parts]
        if not missing:
            continue
        last = parts[max(parts)]
        names = [f"{stem}-{number:05}-of-{count:05}.gguf" for number in missing[:_MOST]]
        lines = "".join(f"\nFROM {name}" for name in names)
        add = unsafe_fix("name the other parts too", Edit.insert(last.span.end, lines))
        yield Finding(
            last.value_span,
            f"{len(missing)} of {count} parts are not named, the first is {names[0]}",
            "name every part with a FROM of its own, or merge them into one file",
            add if len(missing) <= _MOST else None,
        )
