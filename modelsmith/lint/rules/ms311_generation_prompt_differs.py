r"""The next answer begins with other line breaks than past answers do.

## What it does
Renders a chat of several turns, and compares what stands before past answers with the end of the prompt: a line break that a
trim marker (`{{-`) eats at one of the two, or one more before the closing quotes.

## Why
White space is part of the tokens that the model learned: `<|im_start|>assistant` without its line break makes the model write it
first, and one too many makes many models stumble.

## Example
```gotmpl
{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
{{- "" -}}
```

## Use instead
```gotmpl
{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
```

## Fix safety
There is no fix: which of the two is right, the model's maker says.

## Source
Proven by rendering; Go, text/template (trim markers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import heading, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a generation prompt that differs from history by line breaks alone."""
    found = used(document)
    turns = probes(found[1]).turns() if found else None
    if found is None or turns is None or found[1].is_legacy:
        return
    opening, tail = turns.opening, turns.tail
    if opening.rstrip() != tail.rstrip() or not tail.strip() or opening.count("\n") == tail.count("\n"):
        return
    history, now = (
        repr(text[len(text.rstrip()) :]) if text != text.rstrip() else "nothing" for text in (opening, tail)
    )
    name = tail.strip().splitlines()[-1][-40:]
    message = f"after {name!r} comes {history} before past answers, but {now} where the next answer begins"
    hint = 'write {{ "\\n" }} where a line break must stay; a trim marker ({{- or -}}) eats those beside it'
    yield Finding(heading(found[0]), message, hint)
