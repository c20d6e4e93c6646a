"""Ollama refuses the template.

## What it does
Reports what Go's `text/template` or Ollama does not accept: an `if` without `{{ end }}`, a function that does not exist, an
undeclared variable, a call of a template without an argument. The caret is at the token, inside of the Modelfile.

## Why
`ollama create` fails with `template error`, and a line number that counts from the beginning of the template.

## Example
```modelfile
FROM llama3.2:3b
TEMPLATE "{{ if .System }}{{ .System }}{{ endif }}{{ .Prompt }}"
```

## Use instead
```modelfile
FROM llama3.2:3b
TEMPLATE "{{ if .System }}{{ .System }}{{ end }}{{ .Prompt }}"
```

## Fix safety
Unsafe: a word of another template language becomes Go's where there is exactly one (`endif`, `elif`, `prompt`).

## Source
Go, text/template/parse; Ollama template/template.go (Parse).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.lint.templates.syntax import Flaw

_JINJA = "this is Jinja, and TEMPLATE takes a Go template: `modelsmith convert` translates one"
_WORDS = {
    "elif": "else if",
    "elseif": "else if",
    "elsif": "else if",
    "endif": "end",
    "endfor": "end",
    "endrange": "end",
    "endwith": "end",
    "toJson": "json",
    "tojson": "json",
    "True": "true",
    "False": "false",
    "prompt": ".Prompt",
    "system": ".System",
    "response": ".Response",
    "messages": ".Messages",
    "tools": ".Tools",
    "suffix": ".Suffix",
    "Prompt": ".Prompt",
    "System": ".System",
    "Response": ".Response",
    "Messages": ".Messages",
    "Tools": ".Tools",
    "Suffix": ".Suffix",
    "Role": ".Role",
    "Content": ".Content",
    "ToolCalls": ".ToolCalls",
    "Thinking": ".Thinking",
}


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield why Ollama refuses the template that counts."""
    embedded = document.template
    if embedded is None or embedded.error is None:
        return
    from modelsmith.lint.templates.syntax import flaw_of, is_our_limit

    flaw = flaw_of(embedded.text, embedded.error)
    span = embedded.span(flaw.start, flaw.end)
    if is_our_limit(embedded.error):
        message = f"modelsmith does not read this template ({flaw.message}); it is not checked"
        yield Finding(span, message, severity=Severity.INFO)
        return
    word = embedded.text[flaw.start : flaw.end]
    if flaw.message.startswith("unexpected EOF"):
        message = f"Ollama refuses the template: {word} has no {{{{ end }}}} (unexpected EOF)"
        yield Finding(span, message, embedded.error.hint)
        return
    hint = _hint(embedded, flaw, word)
    yield Finding(span, f"Ollama refuses the template: {flaw.message}", hint, _fix(embedded, flaw, word))


def _hint(embedded: EmbeddedTemplate, flaw: Flaw, word: str) -> str:
    from modelsmith.lint.templates.syntax import looks_like_jinja

    if looks_like_jinja(embedded.text):
        return _JINJA
    if flaw.message.startswith("function") and _WORDS.get(word, "").startswith("."):
        return f"fields begin with a dot: {{{{ {_WORDS[word]} }}}}"
    return embedded.error.hint if embedded.error else ""


def _fix(embedded: EmbeddedTemplate, flaw: Flaw, word: str) -> Fix | None:
    if flaw.message.startswith("undefined template"):
        return unsafe_fix("give it the dot", Edit.insert(embedded.offset(flaw.end), " ."))
    instead = _WORDS.get(word) if flaw.message.startswith("function") else None
    if instead is None or _hint(embedded, flaw, word) == _JINJA:
        return None
    return unsafe_fix(f"write {instead}", Edit(embedded.span(flaw.start, flaw.end), instead))
