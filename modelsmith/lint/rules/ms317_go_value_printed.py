"""A Go structure is printed where JSON was meant.

## What it does
Reports actions that print a tool's function, its parameters, a message or a tool call as a whole.

## Why
Since 0.14 `{{ .Function }}` of a tool prints `{name description {object … map[…]}}` and no longer JSON, in templates of Ollama's own
library too: the model reads something that no model was trained on.

## Example
```gotmpl
{{ range .Tools }}{"type": "function", "function": {{ .Function }}}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}
```

## Use instead
```gotmpl
{{ range .Tools }}{"type": "function", "function": {{ json .Function }}}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}
```

## Fix safety
Safe, for a tool's function and parameters: JSON is what they printed before 0.14. There is none for the others.

## Source
Ollama template/template.go (templateTools); ollama issue 14601.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, safe_fix
from modelsmith.lint.templates.template import MOST, counted
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield actions that print a structure."""
    found = counted(document)
    if found is None:
        return
    from modelsmith.lint.templates.fields import fields_of
    from modelsmith.template.go.values.types import FUNCTION, PARAMETERS

    embedded, template = found
    for printed in fields_of(template).printed[:MOST]:
        is_tool = printed.type in (FUNCTION, PARAMETERS)
        if is_tool and not document.target.has("0.14.0"):
            continue
        written = embedded.text[printed.start : printed.end]
        span = embedded.span(printed.start, printed.end)
        fix = None
        if is_tool and "|" not in written and " " not in written:
            fix = safe_fix(f"write json {written}", Edit.insert(span.start, "json "))
        what = "Go's notation, no longer JSON" if is_tool else "Go's notation, and no text that a model knows"
        hint = f"write {{{{ json {written} }}}}" if is_tool else "print its fields one by one"
        yield Finding(span, f"{written} is printed in {what}", hint, fix)
