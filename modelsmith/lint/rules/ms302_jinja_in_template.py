"""Jinja or a placeholder of another tool stands in the template, and the model reads it as text.

## What it does
Reports `{% … %}`, `{# … #}` and placeholders such as `{prompt}` or `{system_prompt}` in a template that Ollama accepts. One
that it refuses is MS300's, which names Jinja too.

## Why
TEMPLATE is a Go template: only what stands in `{{ … }}` is replaced. Anything else goes to the model letter by letter, and the
user's message is often lost with it.

## Example
```modelfile
FROM ./vicuna.gguf
TEMPLATE "USER: {prompt} ASSISTANT:"
```

## Use instead
```modelfile
FROM ./vicuna.gguf
TEMPLATE "USER: {{ .Prompt }} ASSISTANT:"
```

## Fix safety
Unsafe, for placeholders: `{prompt}` becomes `{{ .Prompt }}`. A Jinja template takes `modelsmith convert`.

## Source
Go, text/template; ollama issue 8585.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.template import MOST, counted, texts
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.template.go.template import Template

_JINJA = regex(r"\{%.{0,400}?%\}|\{#.{0,400}?#\}", re.DOTALL)
_FIELDS = {
    "prompt": ".Prompt",
    "user_prompt": ".Prompt",
    "user_message": ".Prompt",
    "user_input": ".Prompt",
    "system": ".System",
    "system_prompt": ".System",
    "system_message": ".System",
    "response": ".Response",
}
_PLACEHOLDER = regex(r"(?<![{\w$])\{(" + "|".join(_FIELDS) + r")\}(?!\})")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield the first Jinja tag, and every placeholder."""
    found = counted(document)
    if found is None:
        return
    yield from islice(_findings(*found), MOST)


def _findings(embedded: EmbeddedTemplate, template: Template) -> Iterator[Finding]:
    has_jinja = False
    for words in texts(template):
        jinja = None if has_jinja else _JINJA.search(words.value)
        if jinja is not None:
            has_jinja = True
            start, end = words.start + jinja.start(), words.start + jinja.end()
            message = f"{_shown(jinja.group())} is Jinja: in a Go template it is text that the model reads"
            yield Finding(embedded.span(start, end), message, "`modelsmith convert` translates a Jinja template")
        for place in _PLACEHOLDER.finditer(words.value):
            field = _FIELDS[place[1]]
            span = embedded.span(words.start + place.start(), words.start + place.end())
            fix = None
            if template.is_legacy:
                fix = unsafe_fix(f"write {{{{ {field} }}}}", Edit(span, f"{{{{ {field} }}}}"))
            message = f"{place.group()} is replaced by nobody: the model reads it as it stands"
            yield Finding(span, message, f"write {{{{ {field} }}}}", fix)


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:36]} …"
