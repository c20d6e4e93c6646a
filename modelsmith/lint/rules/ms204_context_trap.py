"""The context is too small for what the file puts into it, or larger than the model knows.

## What it does
Compares `num_ctx` with the length that the model was trained with, and the texts of SYSTEM and MESSAGE with `num_ctx`, or
with the 4,096 tokens that Ollama gives a model on a small GPU where `num_ctx` is not set.

## Why
Ollama cuts what does not fit without a word, from the beginning: the system prompt and the first turns are what is lost. A
context beyond the trained length costs memory and gives worse answers.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 32
SYSTEM You answer in one sentence, name the page of the handbook that the answer is from, never guess, and say that you do not know where the handbook is silent.
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER num_ctx 8192
SYSTEM You answer in one sentence, name the page of the handbook that the answer is from, never guess, and say that you do not know where the handbook is silent.
```

## Fix safety
There is no fix: how much memory a context may cost is a decision.

## Source
Ollama server/sched.go (default context by memory), ollama#17427, ollama#12855, ollama#12927.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


DEFAULT = 4096
_SHARE = 0.75  # of the context; the rest is for the conversation and the answer
_WIDE = 0x2E80  # from here on a character is about one token


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a context that is too large for the model, or too small for the file's own texts."""
    found = document.find("PARAMETER", "num_ctx")
    context = _number(found[-1].value) if found else None
    trained = document.model.context_length if document.model else 0
    if found and context is not None and trained and context > trained:
        yield Finding(
            found[-1].value_span,
            f"num_ctx {context:,} is more than the {trained:,} tokens that the model was trained with",
            f"answers get worse beyond {trained:,}, and the memory is spent all the same",
        )
    texts = [*document.find("SYSTEM")[-1:], *document.find("MESSAGE")]
    if not texts or (found and context is None) or (context is not None and context <= 0):
        return
    tokens = sum(_count(document, instruction.value) for instruction in texts)
    limit = context if context is not None else DEFAULT
    if tokens > _SHARE * limit:
        room = f"num_ctx {context:,}" if context is not None else f"the default of {DEFAULT:,} on a small GPU"
        place = found[-1].value_span if found else texts[0].keyword_span
        yield Finding(
            place,
            f"the texts of this file alone are about {tokens:,} tokens, and {room} must hold the conversation too",
            f"Ollama drops what does not fit without a word; set PARAMETER num_ctx to {_rounded(tokens)} or more",
        )


def _number(text: str) -> int | None:
    from modelsmith.gonumber import read_int

    return read_int(text)


def _count(document: Document, text: str) -> int:
    """Return the number of tokens, exactly where the tokenizer is at hand, else estimated."""
    vocabulary = document.model.vocabulary if document.model else None
    exact = vocabulary.count(text) if vocabulary else None
    if exact is not None:
        return exact
    wide = sum(1 for char in text if ord(char) >= _WIDE)
    return wide + (len(text) - wide) // 4


def _rounded(tokens: int) -> int:
    size = 2048
    while size * _SHARE / 2 < tokens:
        size *= 2
    return size
