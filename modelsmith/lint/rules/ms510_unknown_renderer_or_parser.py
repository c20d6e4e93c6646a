"""RENDERER or PARSER names nothing that Ollama has.

## What it does
Reports names of renderers and parsers that no version of Ollama known to modelsmith has.

## Why
`ollama create` accepts any name. With an unknown renderer each chat fails with `unknown renderer`; an unknown parser is ignored, so
that tool calls and reasoning arrive as text.

## Example
```modelfile
FROM qwen3:8b
PARSER qwen3-think
```

## Use instead
```modelfile
FROM qwen3:8b
PARSER qwen3-thinking
```

## Fix safety
Unsafe: the nearest name is written.

## Source
Ollama model/renderers/renderer.go, model/parsers/parsers.go, server/prompt.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.lint.facts.comments import comment_of
from modelsmith.lint.facts.lines import shortened
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.lint.document import Document

_EFFECTS = {
    "RENDERER": "each chat fails with it",
    "PARSER": "it is ignored: tool calls and reasoning arrive as text",
}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield names that nobody knows."""
    for keyword, effect in _EFFECTS.items():
        found = document.find(keyword)
        if not found or not found[-1].value or comment_of(found[-1]):
            continue
        from modelsmith.template.effective.renderers import PARSERS, RENDERERS

        known: Mapping[str, object] = RENDERERS if keyword == "RENDERER" else PARSERS
        others: Mapping[str, object] = PARSERS if keyword == "RENDERER" else RENDERERS
        name = found[-1].value
        if name in known:
            continue
        close = did_you_mean(name[:100], known)
        meant = re.search(r'"(.+)"', close)
        fix = unsafe_fix(f"write {meant[1]}", Edit(found[-1].quoted_span, meant[1])) if meant else None
        hint = f"write {meant[1]}" if meant else f"one of {', '.join(sorted(known))}"
        if name in others and not fix:
            hint = f"{name} is a {'parser' if keyword == 'RENDERER' else 'renderer'} only"
        message = f'Ollama has no {keyword.lower()} "{shortened(name)}"; {effect}{close}'
        yield Finding(found[-1].quoted_span, message, hint, fix)
