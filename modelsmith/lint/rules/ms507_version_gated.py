"""The file needs a newer Ollama than the target, or than REQUIRES says.

## What it does
Reports instructions, parameters, template functions, renderers and parsers that the target (`--target-ollama`) does not have, and a
REQUIRES below what the file uses.

## Why
An older Ollama refuses an instruction, parameter or function that it does not know; an unknown renderer fails each chat, an unknown parser is
ignored. REQUIRES is what tells users of the model so before they pull it.

## Example
```modelfile
FROM qwen3.5:4b
REQUIRES 0.14.0
RENDERER qwen3.5
```

## Use instead
```modelfile
FROM qwen3.5:4b
REQUIRES 0.17.1
RENDERER qwen3.5
```

## Fix safety
Safe: REQUIRES is raised to what the file needs. There is no fix for a target that is too old.

## Source
Ollama parser/parser.go, api/types.go, template/template.go, model/renderers and model/parsers at its release tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.needs import needs
from modelsmith.lint.rule import Finding, rule, safe_fix
from modelsmith.source import Edit
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.syntax.modelfile.table import required_version
from modelsmith.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.facts.needs import Need


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield what the target does not have, and a REQUIRES that is too low."""
    for blame in blamed(document, "MS507"):
        node = blame.node
        if isinstance(node, Instruction) and node.row and node.fault is not None:
            yield _too_old(document, node.keyword, node.row.since, node)
    for need in needs(document):
        if not document.target.has(need.since):
            message = f"Ollama {document.target} does not have {need.what}, which came with {need.since}"
            hint = f"lint for {need.since} or newer, or do without it"
            yield Finding(need.span, message, hint, severity=None if need.vital else Severity.WARNING)
    if requires := document.find("REQUIRES"):
        yield from _too_low(requires[-1], [need for need in needs(document) if need.span != requires[-1].keyword_span])


def _too_old(document: Document, keyword: str, since: str, node: Instruction) -> Finding:
    message = f"Ollama {document.target} does not have the instruction {keyword}, which came with {since}"
    return Finding(node.keyword_span, message, f"lint for {since} or newer, or do without it")


def _too_low(requires: Instruction, needed: list[Need]) -> Iterator[Finding]:
    text = required_version(requires.value)
    if text is None or not needed:
        return
    most = max(needed, key=lambda need: Version.parse(need.since))
    said = Version.parse(text.split("+")[0])
    if not said.has(most.since):
        prefix = "v" if requires.value.startswith("v") else ""
        message = f"REQUIRES {requires.value} is too low: {most.what} came with {most.since}"
        fix = safe_fix(f"write {prefix}{most.since}", Edit(requires.quoted_span, prefix + most.since))
        yield Finding(requires.quoted_span, message, f"write REQUIRES {most.since}", fix, Severity.WARNING)
