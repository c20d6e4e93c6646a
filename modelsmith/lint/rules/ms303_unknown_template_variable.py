"""The template asks for a field that Ollama does not hand to it.

## What it does
Follows the dot through `range`, `with`, variables and definitions, and reports fields that the value there does not have:
`.prompt`, `.First`, `.role` or `.System` inside of `range .Messages`. Fields that exist but are missing in a chat are reported
where rendering one prints `<no value>`.

## Why
At the top such a field prints `<no value>` and counts as empty, so that a part of the prompt silently disappears; inside of a
message the request fails.

## Example
```modelfile
FROM ./mistral.gguf
TEMPLATE "{{ if .First }}{{ .System }}{{ end }}[INST] {{ .Prompt }} [/INST]"
```

## Use instead
```modelfile
FROM ./mistral.gguf
TEMPLATE "{{ if .System }}{{ .System }}{{ end }}[INST] {{ .Prompt }} [/INST]"
```

## Fix safety
Safe where only capitals or the `$` before the field are wrong; unsafe for other words that are near.

## Source
Ollama template/template.go (Execute); ollama issues 532 and 3413.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import MOST, counted, used
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.lint.templates.fields import UnknownField
    from modelsmith.source import Span
    from modelsmith.template.go.template import Template

_GONE = {"First": ("System", "Ollama has no .First any more: it is always empty"), "Last": ("", "there is no .Last")}
_OF_MESSAGES = {"Prompt": "Content", "Response": "Content", "Message": "Content", "Text": "Content", "Name": "ToolName"}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield unknown fields, and known ones that are missing in every chat."""
    found = counted(document)
    if found is None:
        return
    from modelsmith.lint.templates.fields import fields_of

    embedded, template = found
    reported = set()
    for unknown in fields_of(template).unknown[:MOST]:
        if (unknown.start, unknown.end) not in reported:
            reported.add((unknown.start, unknown.end))
            yield _finding(embedded, unknown)
    if used(document) is not None:
        yield from _missing(embedded, template, reported)


def _finding(embedded: EmbeddedTemplate, unknown: UnknownField) -> Finding:
    from modelsmith.lint.templates.types import ROOT

    span = embedded.span(unknown.start, unknown.end)
    wanted, fix = _wanted(embedded, unknown)
    if unknown.owner is ROOT:
        gone = _GONE.get(unknown.name)
        effect = "it prints <no value>" if unknown.is_printed else "it is always empty"
        message = gone[1] if gone else f"Ollama sets no .{unknown.name}: {effect}"
    else:
        message = f"there is no .{unknown.name} in {_words(unknown)}: rendering it fails"
    return Finding(span, message, wanted, fix)


def _wanted(embedded: EmbeddedTemplate, unknown: UnknownField) -> tuple[str, Fix | None]:
    """Return the way out, and the fix where there is one word that was meant."""
    from modelsmith.lint.templates.types import ROOT, field_names
    from modelsmith.template.go.values.types import MESSAGE

    span = embedded.span(unknown.start, unknown.end)
    names = field_names(unknown.owner)
    folded = next((name for name in names if name.lower() == unknown.name.lower()), "")
    if folded:
        return f"write .{folded}: fields are case-sensitive", safe_fix(f"write .{folded}", Edit(span, f".{folded}"))
    if unknown.owner is not ROOT and unknown.is_first and not unknown.in_definition:
        outer = next((name for name in ROOT.fields if name.lower() == unknown.name.lower()), "")
        if outer and outer not in _OF_MESSAGES and embedded.text[unknown.start - 1 : unknown.start] in " (\n\t{-":
            hint = f"write $.{outer}: here the dot is {_words(unknown)}"
            return hint, safe_fix(f"write $.{outer}", Edit(span, f"$.{outer}"))
    if unknown.owner is ROOT and unknown.name in _GONE:
        other = _GONE[unknown.name][0]
        return (f"ask for .{other} instead", None) if other else ("", None)
    if unknown.owner.name.endswith("templateMessage") and unknown.name in _OF_MESSAGES:
        close = _OF_MESSAGES[unknown.name]
        return f"a message has .{close}", unsafe_fix(f"write .{close}", Edit(span, f".{close}"))
    if unknown.owner is ROOT and unknown.name in MESSAGE.fields:
        return f"a message has .{unknown.name}: ask for it inside of {{{{ range .Messages }}}}", None
    close = _near(unknown.name, tuple(names))
    if close:
        name = close.split('"')[1]
        return f"did you mean .{name}?", unsafe_fix(f"write .{name}", Edit(span, f".{name}"))
    known = ", ".join(f".{name}" for name in names)
    return (f"there are {known}" if known else ""), None


@lru_cache(maxsize=256)
def _near(name: str, names: tuple[str, ...]) -> str:
    return did_you_mean(name, names)


def _missing(embedded: EmbeddedTemplate, template: Template, reported: set[tuple[int, int]]) -> Iterator[Finding]:
    """Yield fields that exist, but not on the way that chats take."""
    if "<no value>" not in probes(template).prompt("system"):
        return
    seen: set[Span] = set()
    known = sorted(start for start, _ in reported)
    for piece in probes(template).pieces("system"):
        span = piece.node_span
        if len(seen) >= MOST:
            return
        if piece.text != "<no value>" or span is None or span in seen:
            continue
        seen.add(span)
        following = bisect_left(known, span.start)
        if following < len(known) and known[following] < span.end:
            continue
        pipeline = getattr(piece.node, "pipeline", None)
        start, end = (pipeline.start, pipeline.end) if pipeline else (span.start, span.end)
        written = embedded.text[start:end]
        why = (
            "a template that ranges over .Messages gets no .Prompt and no .Suffix"
            if not template.is_legacy
            else "a template without .Messages gets only .System, .Prompt and .Response"
        )
        yield Finding(embedded.span(start, end), f"{written} prints <no value> in a chat", why)


def _words(unknown: UnknownField) -> str:
    kind = unknown.owner
    if kind.kind in ("string", "bool", "int"):
        return f"a {kind.kind}"
    return {
        "*template.templateMessage": "a message",
        "template.templateToolCall": "a tool call",
        "template.templateToolCallFunction": "the function of a tool call",
        "template.templateTool": "a tool",
        "template.templateTools": "the list of tools",
        "template.templateToolFunction": "the function of a tool",
        "template.templateToolFunctionParameters": "the parameters of a tool",
        "[]*template.templateMessage": "the list of messages",
        "[]template.templateToolCall": "the list of tool calls",
        "api.ToolProperty": "a property",
    }.get(kind.name, kind.name)
