"""A line begins with a word that is no instruction.

## What it does
Reports lines that Ollama cannot read: misspelled instructions, parameters without the word PARAMETER, and text of any kind.
Lines that belong to a text above are MS103, traces of shell and Markdown MS114. A word in capitals is information where the target is
newer than the newest Ollama whose instructions are known here.

## Why
`ollama create` stops there with `command must be one of …`; its line number is one too high where a line is a single word, and
counts twice in files with CRLF.

## Example
```modelfile
FORM llama3.2:3b
```

## Use instead
```modelfile
FROM llama3.2:3b
```

## Fix safety
Safe where a known parameter with a sound value lacks only the word PARAMETER; unsafe for a misspelled instruction.

## Source
Ollama parser/parser.go (ParseFile, isValidCommand); ollama issues 4676, 7251 and 12755.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import bare_parameter, blamed, is_documented, meant
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.syntax.modelfile.table import INSTRUCTIONS
from modelsmith.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.facts.faults import Blame

_DOCKER = frozenset(
    [
        "RUN",
        "CMD",
        "ENV",
        "COPY",
        "ADD",
        "ARG",
        "LABEL",
        "ENTRYPOINT",
        "WORKDIR",
        "EXPOSE",
        "VOLUME",
        "USER",
        "HEALTHCHECK",
        "SHELL",
    ]
)
_OTHERS = {
    "PROMPT": "the prompt's form is written as TEMPLATE, its instructions as SYSTEM",
    "CONTEXT": "the context length is written PARAMETER num_ctx 8192",
    "STOP": "a stop is written PARAMETER stop and the text",
    "EMBED": "Ollama removed EMBED; nothing replaces it in a Modelfile",
    "INCLUDE": "a Modelfile includes no other file",
    "QUANTIZE": "quantizing is an option of `ollama create --quantize`",
    "NAME": "the model's name is an argument of `ollama create`",
    "MODEL": "the model to build on is written FROM",
}


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield what is no instruction."""
    for blame in blamed(document, "MS101"):
        yield _invisible(document, blame) or _parameter(document, blame) or _word(document, blame)


def _invisible(document: Document, blame: Blame) -> Finding | None:
    """Return a finding for an instruction behind characters that nobody sees."""
    masked = document.modelfile.characters.masked if document.modelfile else ""
    masked = masked[blame.node.span.start : blame.node.span.end]
    width = len(masked) - len(masked.lstrip("\0 \t"))
    words = masked[width:].split(None, 1)
    if not width or "\0" not in masked[:width] or not words or words[0].upper() not in INSTRUCTIONS:
        return None
    span = Span(blame.node.span.start, blame.node.span.start + width)
    code = f"U+{ord(span.of(document.text)[0]):04X}"
    fix = safe_fix("remove them", Edit.delete(span))
    return Finding(span, f"invisible characters ({code}) stand before {words[0]}", "only spaces may", fix)


def _parameter(document: Document, blame: Blame) -> Finding | None:
    line = document.text[blame.node.span.start : blame.node.span.end]
    found = bare_parameter(line)
    if found is None:
        return None
    name, value = found
    start = blame.node.span.start
    fix = safe_fix(f"write PARAMETER {name} {value}", Edit(blame.node.span, f"PARAMETER {name} {value}"))
    message = f'"{name}" is a parameter, and the word PARAMETER is missing before it'
    return Finding(Span(start, start + len(name)), message, f"write PARAMETER {name} {value}", fix)


def _word(document: Document, blame: Blame) -> Finding:
    node = blame.node
    known = [row.keyword for row in INSTRUCTIONS.values() if not row.since or document.target.has(row.since)]
    others = len(blame.block) - 1
    if not isinstance(node, Instruction):
        following = {0: "", 1: ", nor is the next one"}.get(others, f", nor are the {others} lines after it")
        line = node.span.of(document.text).splitlines()[0]
        hint = 'a value of several lines needs """ before its first and after its last line; a comment starts with #'
        return Finding(
            Span(node.span.start, node.span.start + len(line)), f"this line is not an instruction{following}", hint
        )
    word = node.keyword_span.of(document.text)
    close = meant(node.keyword) if not others else ""
    if close in known:
        fix = unsafe_fix(f"write {close}", Edit(node.keyword_span, close))
        return Finding(
            node.keyword_span, f'unknown instruction "{word}"; did you mean "{close}"?', f"write {close}", fix
        )
    hint = f"one of {', '.join(known)}"
    if word in _DOCKER:
        hint = "a Modelfile is no Dockerfile: it says what a model is made of, and runs nothing"
    elif node.keyword in _OTHERS:
        hint = _OTHERS[node.keyword]
    elif document.target > NEWEST and not others and word.isupper():
        message = f"{word} is unknown to Ollama {NEWEST}, the newest whose instructions are known here"
        return Finding(node.keyword_span, message, f"Ollama {document.target} was not checked", severity=Severity.INFO)
    elif is_documented(document, node):
        hint = f"Ollama's documentation lists it for versions after {NEWEST}"
    following = {0: "", 1: "; the next line is none either"}.get(
        others, f"; the {others} lines after it are none either"
    )
    return Finding(node.keyword_span, f'unknown instruction "{word}"{following}', hint)
