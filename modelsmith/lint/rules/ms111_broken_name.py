"""A name is not where Ollama looks for it: exactly one space stands before it, a space behind it, and then a value.

## What it does
Reports instructions without a value, a parameter's name or role that something else than a space follows (`temperature=0.7`,
`user:`), two spaces before one, and a stop token without the word `stop` (`PARAMETER <|eot_id|>`).

## Why
Ollama answers `unexpected EOF: temperature`, without a line. With two spaces the name is empty and the rest is the value:
`unknown parameter ''`.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER temperature=0.7
PARAMETER  top_k 40
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER temperature 0.7
PARAMETER top_k 40
```

## Fix safety
Safe: `=`, `:` or an invisible space becomes a space, too many spaces become one. Unsafe: the word `stop` is written before a token.

## Source
Ollama parser/parser.go (ParseFile: stateParameter, stateMessage).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.parameter_faults import bad
from modelsmith.lint.facts.parameter_names import RENAMES
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.parameters import DEPRECATED, PARAMETERS
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.diagnose import diagnosed
from modelsmith.syntax.modelfile.nodes import Flaw, Instruction
from modelsmith.syntax.modelfile.table import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document

_SEPARATOR = regex(r"[ \t]*[=:][ \t]*(?=\S)|[^\S \t\r\n]+[ \t]*(?=\S)")
_WORD = regex(r"[A-Za-z]+")
_TOKEN = regex(r"<[^<>\s]{1,60}>|\[/?[A-Z_]{1,60}\]")
_QUOTED = regex(r"([\"'`])([^\"'`\s]{1,60})\1")
_REST = regex(r"([A-Za-z0-9_]+)([ \t]*[=:]?[ \t]*)\S")


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield names that Ollama does not find."""
    for parameter in bad(document, "MS111"):
        yield _too_many_spaces(document, parameter.instruction)
    for blame in blamed(document, "MS111"):
        node = blame.node
        if isinstance(node, Instruction) and node.fault and node.fault.flaw is Flaw.INVALID_ROLE:
            yield _too_many_spaces(document, node)
            continue
        if isinstance(node, Instruction) and (stop := _stop(node)):
            yield stop
            continue
        found = diagnosed(node)
        if found:
            fix = _fix(document, found.span, node)
            yield Finding(
                found.span,
                found.message,
                "write a space there" if fix and not found.hint.startswith("write ") else found.hint,
                fix,
            )


def _stop(node: Instruction) -> Finding | None:
    """Return a finding for a token in the place of a parameter's name: the word stop is missing."""
    token = node.value[1:-1] if _QUOTED.fullmatch(node.value) else node.value
    if node.keyword != "PARAMETER" or node.name or not _TOKEN.fullmatch(token):
        return None
    fix = unsafe_fix(f"write stop {node.value}", Edit.insert(node.quoted_span.start, "stop "))
    message = f"{token} is no parameter; a token that ends answers is a value of stop"
    return Finding(node.quoted_span, message, f"write PARAMETER stop {node.value}", fix)


def _too_many_spaces(document: Document, instruction: Instruction) -> Finding:
    """Return a finding for a name that is empty because a second blank ends it."""
    what = "role" if instruction.keyword == "MESSAGE" else "name"
    start = instruction.keyword_span.end
    gap = Span(start, instruction.quoted_span.start)
    if gap.end - gap.start < 2 or not instruction.value:
        hint = f"write {instruction.keyword} {what} value"
        return Finding(instruction.keyword_span, f"{instruction.keyword} has no {what}", hint)
    fix = safe_fix("write one space", Edit(gap, " "))
    found = _REST.match(document.text, gap.end)
    known = ROLES if what == "role" else PARAMETERS
    if found and found[2].strip() and found[1] in known:
        fix = safe_fix("write one space", Edit(gap, " "), Edit(Span(*found.span(2)), " "))
    message = f"more than one space after {instruction.keyword}, so Ollama reads an empty {what}"
    return Finding(gap, message, f"exactly one space stands before the {what}", fix)


def _fix(document: Document, span: Span, node: object) -> Fix | None:
    """Put a space in the place of = or : or an invisible space, where a sound name stands before it."""
    quoted = _QUOTED.match(document.text, span.start, span.end)
    if quoted and isinstance(node, Instruction) and quoted[2] in (ROLES if node.keyword == "MESSAGE" else PARAMETERS):
        return safe_fix(f"write {quoted[2]}", Edit(Span(*quoted.span()), quoted[2]))
    found = _SEPARATOR.match(document.text, span.start)
    if found is None:
        return None
    if isinstance(node, Instruction) and node.name.lower() not in {*PARAMETERS, *DEPRECATED, *RENAMES, *ROLES}:
        return None
    if not isinstance(node, Instruction) and not _WORD.fullmatch(document.text, span.start - 4, span.start):
        return None
    return safe_fix("write a space", Edit(Span(*found.span()), " "))
