r"""The line break behind `<think>` is eaten by a trim marker.

## What it does
Reports prompts that end with `<think>` where the template has a line break behind it, which `{{-` takes away.

## Why
DeepSeek-R1 and Qwen3 were trained on `<think>` with a line break. Without it they write the line break themselves, or skip their thinking
more often.

## Example
```gotmpl
{{ range $i, $m := .Messages }}{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ if eq (len (slice $.Messages $i)) 1 }}<think>
{{- end }}{{ end -}}
```

## Use instead
```gotmpl
{{ range $i, $m := .Messages }}{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ if eq (len (slice $.Messages $i)) 1 }}{{ "<think>\n" }}
{{- end }}{{ end -}}
```

## Fix safety
Unsafe: some families were trained without the line break.

## Source
Go, text/template (trim markers); the chat templates that DeepSeek and Qwen publish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.thinking import prefill
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_TAG = "<think>"
_EATEN = regex(r"[ \t]*\r?\n\s*\{\{-\s")


@rule(Severity.INFO)
def check(document: Document) -> Iterator[Finding]:
    """Yield an opening tag that loses its line break."""
    found = prefill(document)
    if found is None or found.tag != _TAG or found.at < 0:
        return
    if not _EATEN.match(found.template.text, found.at + len(_TAG)):
        return
    if not probes(found.template).prompt("user").endswith(_TAG):
        return
    quote = found.embedded.instruction.quote if found.embedded.instruction else '"""'
    fix = unsafe_fix("keep the line break", Edit(found.place, '{{ "<think>\\n" }}')) if quote != '"' else None
    message = "the line break behind <think> is eaten by {{-, so prompts end with <think> alone"
    yield Finding(found.place, message, 'write {{ "<think>\\n" }} if the model was trained with the line break', fix)
