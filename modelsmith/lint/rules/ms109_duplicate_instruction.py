"""An instruction is given twice, and only the last one counts.

## What it does
Reports instructions and parameters that a later one of the same kind replaces: TEMPLATE, SYSTEM, ADAPTER, RENDERER, PARSER,
REQUIRES, every PARAMETER but `stop`, and FROM where several models are named.

## Why
Ollama says nothing: the earlier value is gone. Several FROM with files add up (shards, projectors); with names the last wins, and
a file beside a name is ignored by the server. Ollama puts a model and its projector together only where both are files.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER temperature 0.2
PARAMETER temperature 0.9
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER temperature 0.9
```

## Fix safety
Removing the one that does not count is safe where both say the same, else unsafe: perhaps it is the other one that is wrong. There is no
fix where one of them is a projector or looks like a path: then both were meant.

## Source
Ollama parser/parser.go (CreateRequest), server/create.go (CreateHandler).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.bases import is_file, looks_like_path
from modelsmith.lint.facts.faults import lines_of_text
from modelsmith.lint.facts.lines import delete_lines, number_of
from modelsmith.lint.facts.parameter_faults import bad_parameters
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.parameters import DEPRECATED, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Instruction

_SINGLE = ("TEMPLATE", "SYSTEM", "ADAPTER", "RENDERER", "PARSER", "REQUIRES")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield what a later instruction replaces."""
    for keyword in _SINGLE:
        yield from _replaced(document, keyword, document.find(keyword))
    refused = {id(parameter.instruction) for parameter in bad_parameters(document)}
    groups: dict[str, list[Instruction]] = {}
    for instruction in document.find("PARAMETER"):
        if (
            instruction.name in PARAMETERS
            and not PARAMETERS[instruction.name].is_list
            and id(instruction) not in refused
        ):
            groups.setdefault(instruction.name, []).append(instruction)
    for name, found in groups.items():
        if name not in DEPRECATED:
            yield from _replaced(document, f"PARAMETER {name}", found)
    yield from _models(document)


def _replaced(document: Document, what: str, found: Sequence[Instruction]) -> Iterator[Finding]:
    if len(found) > 1 and (text := lines_of_text(document)):
        found = [instruction for instruction in found if instruction not in text]
    if len(found) < 2:
        return
    last = found[-1]
    for instruction in found[:-1]:
        same = instruction.value == last.value
        message = f"{what} on line {number_of(document, last)} {'repeats' if same else 'replaces'} this one"
        fix = (safe_fix if same else unsafe_fix)("remove this one", delete_lines(document, instruction))
        yield Finding(instruction.keyword_span, message, "keep one of them", fix)


def _is_projector(document: Document, value: str) -> bool:
    """Say whether FROM names a projector, by its header or by the word that they all have in their names."""
    facts = (document.surroundings.paths or {}).get(value)
    return facts.role == "projector" if facts and facts.role else "mmproj" in value.lower()


def _projector(document: Document, projector: Instruction, model: Instruction) -> Iterator[Finding]:
    """Yield a model and a projector of which at least one is given by a name."""
    first, last = sorted((projector, model), key=lambda instruction: instruction.span.start)
    names = [instruction for instruction in (first, last) if is_file(document, instruction.value) is False]
    shown = f"FROM on line {number_of(document, first)} and on line {number_of(document, last)}"
    message = f"Ollama does not put {shown} together: a model and its projector add up only where both are files"
    hint = "download both, and name them as files: FROM ./model.gguf and FROM ./mmproj.gguf"
    yield Finding(names[-1].value_span if names else last.value_span, message, hint)


def _models(document: Document) -> Iterator[Finding]:
    """Yield FROM lines that have no effect beside others."""
    found = document.find("FROM")
    names = [instruction for instruction in found if is_file(document, instruction.value) is False]
    files = [instruction for instruction in found if is_file(document, instruction.value)]
    projectors = [instruction for instruction in found if _is_projector(document, instruction.value)]
    if names and 0 < len(projectors) < len(found):
        yield from _projector(
            document, projectors[-1], [instruction for instruction in found if instruction not in projectors][-1]
        )
        return
    if not any(looks_like_path(instruction.value) for instruction in names):
        yield from _replaced(document, "FROM", names)
    if not names or len(names) + len(files) != len(found):
        return
    for instruction in files:
        message = f"the server ignores this file: FROM on line {number_of(document, names[-1])} names a model"
        yield Finding(instruction.value_span, message, "build from files alone, or from the model alone")
