"""Past answers have no end token, though the user's messages have one.

## What it does
Renders a chat of several turns, and reports that the token that ends the user's messages does not follow the assistant's.

## Why
A template without `{{ .Response }}` gets the answer appended, and nothing behind it. From the second turn on the model reads answers that
run into the next message, and learns from them not to stop.

## Example
```modelfile
FROM ./chatml.gguf
TEMPLATE "<|im_start|>user {{ .Prompt }}<|im_end|><|im_start|>assistant "
```

## Use instead
```modelfile
FROM ./chatml.gguf
TEMPLATE "<|im_start|>user {{ .Prompt }}<|im_end|><|im_start|>assistant {{ .Response }}<|im_end|>"
```

## Fix safety
Unsafe: `{{ .Response }}` and the token are added at the end of a template without `.Messages`; Ollama leaves the token away where the next
answer begins.

## Source
Proven by rendering; Ollama template/template.go (Parse, Execute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import END, heading, used
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a template that ends the user's turns and not the assistant's."""
    found = used(document)
    turns = probes(found[1]).turns() if found else None
    if found is None or turns is None:
        return
    embedded, template = found
    end = END.match(turns.opening.lstrip())
    if end is None or not turns.opening.lstrip()[end.end() :].strip() or END.search(turns.closing):
        return
    token = end.group()
    message = f"the user's messages end with {token}, but past answers do not"
    fix = None
    if template.adds_response:
        place = embedded.offset(len(embedded.text))
        fix = unsafe_fix(f"end answers with {token}", Edit.insert(place, f"{{{{ .Response }}}}{token}"))
    hint = f"write {{{{ .Response }}}}{token} at the end" if template.is_legacy else f"print {token} after the content"
    yield Finding(heading(embedded), message, hint, fix)
