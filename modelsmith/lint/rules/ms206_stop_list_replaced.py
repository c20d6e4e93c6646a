"""A stop here replaces every stop of the base model.

## What it does
Compares the `stop` strings of the file with those of the base model in the store, and names those that are lost.

## Why
`PARAMETER stop` in a derived model is not added to the base's list, it replaces the list. A chat model that loses the stop
at the end of its turn goes on talking, often as the user.

## Example
<!-- needs a model -->
```modelfile
FROM tinychat:1
PARAMETER stop "###"
```

## Use instead
```modelfile
FROM tinychat:1
PARAMETER stop "###"
PARAMETER stop "<|im_end|>"
```

## Fix safety
Unsafe: the lost stops are added, but it may have been the aim to be rid of them.

## Source
Ollama server/create.go (setParameters), ollama#7662, ollama#6797.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import ModelsmithError
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Edit
from modelsmith.syntax.modelfile.quote import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield the first stop where the base's are not all repeated."""
    stops = document.find("PARAMETER", "stop")
    inherited = document.model.parameters.get("stop", ()) if document.model and document.model.is_stored else ()
    lost = [text for text in inherited if text not in {instruction.value for instruction in stops}]
    if not stops or not lost:
        return
    shown = ", ".join(f'"{text}"' for text in lost)
    base = document.model.name if document.model else ""
    try:
        lines = "".join(f"\nPARAMETER stop {quote(text, prefer=chr(34))}" for text in lost)
        fix = unsafe_fix(f"also stop at {shown}", Edit.insert(stops[-1].span.end, lines))
    except ModelsmithError:
        fix = None
    yield Finding(
        stops[0].span,
        f"this replaces the stops of {base}: {shown} will not end an answer any more",
        "repeat those that are still needed",
        fix,
    )
