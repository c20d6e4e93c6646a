"""The PARSER is the one for models that do not think.

## What it does
Reports a PARSER that has a twin for thinking models (`qwen3` and `qwen3-thinking`) where the model thinks, by its name, its capabilities, its
Jinja template or the TEMPLATE.

## Why
The parser leaves the reasoning in the answer: `<think>` and all that follows arrive as content, and the model does not count as one that
can think.

## Example
```modelfile
FROM qwen3:8b
PARSER qwen3
```

## Use instead
```modelfile
FROM qwen3:8b
PARSER qwen3-thinking
```

## Fix safety
Unsafe: the twin is written. For prompts that switch thinking off, the parser is right as it is.

## Source
Ollama model/parsers/parsers.go, model/parsers/qwen3.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.effective import last
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import used
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_TWINS = {
    "qwen3": "qwen3-thinking",
    "qwen3-vl-instruct": "qwen3-vl-thinking",
    "olmo3": "olmo3-think",
    "lfm2": "lfm2-thinking",
}
_THINKS = regex(r"(?<!non-)(?<!no-)thinking|(?:\A|/)qwen3(?::(?!.*(?:instruct|coder)).*)?\Z")
_OPENED = regex(r"<think>\s*\Z")
_OFF = regex(r"</think>\s*\Z")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a parser that leaves the reasoning in the answer."""
    given = document.find("PARSER")
    twin = _TWINS.get(given[-1].value) if given else None
    if twin is None:
        return
    found = used(document)
    prompt = probes(found[1]).prompt("user") if found else ""
    if _OFF.search(prompt):
        return
    if reason := "its TEMPLATE opens <think>" if _OPENED.search(prompt) else _thinks(document):
        place = given[-1].quoted_span
        message = f"PARSER {given[-1].value} leaves reasoning in the answer, and this model thinks: {reason}"
        yield Finding(place, message, f"write PARSER {twin}", unsafe_fix(f"write {twin}", Edit(place, twin)))


def _thinks(document: Document) -> str:
    """Return what shows that the model thinks, "" where nothing does."""
    model, found = document.model, used(document)
    if last(document, "RENDERER") in _TWINS.values():
        return f"RENDERER {last(document, 'RENDERER')} makes prompts for thinking"
    if found and (all(found[1].thinking_tags) or "thinking" in found[1].variables):
        return "its TEMPLATE prints .Thinking"
    if model is not None and "thinking" in model.capabilities:
        return f"{model.name} has the capability"
    if model is not None and model.chat_template:
        from modelsmith.template.effective.capabilities import chat_capabilities

        return "its Jinja template does" if "thinking" in chat_capabilities(model.chat_template) else ""
    return f"{last(document, 'FROM')} does" if _THINKS.search(last(document, "FROM").lower()) else ""
