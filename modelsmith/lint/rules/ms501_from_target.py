"""FROM, ADAPTER or DRAFT does not name what it seems to name.

## What it does
Looks at where these instructions lead: a file that is not there (Ollama takes it for the name of a model and tries to pull
it), a folder with the same name as a model, a blob of somebody's own store, a pipe or a device, a link out of the folder.

## Why
Ollama decides by what exists when the model is created. A missing file whose name a model could have becomes "pull model
manifest: file does not exist", another one "invalid model name", and a folder called `llama3` hides the model `llama3`.

## Example
```modelfile
FROM /usr/share/ollama/.ollama/models/blobs/sha256-b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
There is no fix: only you know which model is meant.

## Source
Ollama parser/parser.go (expandPath), docs/modelfile.mdx of its main branch (a wildcard for the shards of a split GGUF), ollama#4538, ollama#1765, ollama#9580, ollama#11961, ollama#17591.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.surroundings import PathKind
from modelsmith.name import ModelName
from modelsmith.patterns import regex
from modelsmith.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.surroundings import PathFacts
    from modelsmith.syntax.modelfile.nodes import Instruction


_BLOB = regex(r"[/\\]blobs[/\\]sha256[-:][0-9a-f]{64}$")
_DRIVE = regex(r"[A-Za-z]:[/\\]")
_PATH = regex(r"\.{0,2}/|~|\\")
_WILD = regex(r"[*?].*\.gguf$")
_WEIGHTS = (".gguf", ".bin", ".safetensors", ".pth", ".pt")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield arguments of FROM, ADAPTER and DRAFT that lead elsewhere than it looks."""
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in document.find(keyword):
            if instruction.value:
                yield from _look(document, instruction)


def _look(document: Document, instruction: Instruction) -> Iterator[Finding]:
    value = instruction.value
    facts = (document.surroundings.paths or {}).get(value)
    if _BLOB.search(value):
        yield Finding(
            instruction.value_span,
            "this is a blob of one machine's store: the file says nothing to any other machine",
            "name the model, as in `ollama list`; `ollama show --modelfile` writes blobs",
        )
    elif _DRIVE.match(value) and (facts is None or facts.kind is PathKind.MISSING):
        yield Finding(
            instruction.value_span,
            "this is a path of one Windows machine",
            "use a path relative to the Modelfile, with /",
        )
    elif facts is not None:
        yield from _found(document, instruction, facts)


def _found(document: Document, instruction: Instruction, facts: PathFacts) -> Iterator[Finding]:
    value, place = instruction.value, instruction.value_span
    match facts.kind:
        case PathKind.MISSING if instruction.keyword == "FROM" and _WILD.search(value):
            yield _wild(document, instruction, facts)
        case PathKind.MISSING if (
            instruction.keyword == "ADAPTER" or _PATH.match(value) or value.lower().endswith(_WEIGHTS)
        ):
            if instruction.keyword == "FROM":
                is_name = ModelName.parse(value).is_valid
                pulled = "so Ollama takes it for the name of a model and tries to pull it"
                reason = pulled if is_name else "and no model can have this name: Ollama stops"
                severity = None if is_name else Severity.ERROR
            else:
                reason, severity = "and Ollama stops", Severity.ERROR
            hint = "relative paths start in the folder of the Modelfile"
            if instruction.keyword == "ADAPTER" and not _PATH.match(value):
                hint += "; ADAPTER takes a file or a folder, never the name of a model or of a repository"
            yield Finding(
                place,
                f"there is no file {facts.path}, {reason}",
                hint,
                severity=severity,
            )
        case PathKind.FOLDER if instruction.keyword == "FROM" and value in _names(document):
            yield Finding(
                place,
                f"the folder {facts.path} hides the model {value}: Ollama looks for weights in it",
                f"write registry.ollama.ai/library/{value} for the model, or ./{value} for the folder",
            )
        case PathKind.SPECIAL:
            yield Finding(place, f"{facts.path} is no regular file", "name a file", severity=Severity.ERROR)
        case PathKind.UNREADABLE:
            yield Finding(place, f"{value}: {facts.problem}", facts.hint, severity=Severity.ERROR)
        case _:
            pass


def _wild(document: Document, instruction: Instruction, facts: PathFacts) -> Finding:
    """Judge a wildcard, for the shards of a split GGUF: Ollama's documentation has it, the newest version that is known does not."""
    if document.target > NEWEST:
        message = f"a wildcard in FROM is documented for an Ollama after {NEWEST}; it is not checked here"
        return Finding(
            instruction.value_span, message, f"Ollama {NEWEST} and older stop at this line", severity=Severity.INFO
        )
    return Finding(
        instruction.value_span,
        f"there is no file {facts.path}, and Ollama {NEWEST} and older take no wildcards",
        "name each shard with a FROM of its own, or make one file of them: modelsmith gguf merge",
        severity=Severity.ERROR,
    )


def _names(document: Document) -> set[str]:
    stored = document.surroundings.stored_models or frozenset()
    return {*stored, *(name.removesuffix(":latest") for name in stored)}
