"""The template prints a control token that the model does not have.

## What it does
With the model's vocabulary at hand: reports tokens such as `<|im_start|>` in the template that it does not have, and nothing like them.

## Why
The template is that of another family. The model reads the token as half a dozen pieces of punctuation, and will not end its answers with it.

## Example
<!-- needs a model -->
```modelfile
FROM ./llama2.gguf
TEMPLATE "<|im_start|>user {{ .Prompt }}<|im_end|>"
```

## Use instead
```modelfile
FROM ./llama2.gguf
TEMPLATE "[INST] {{ .Prompt }} [/INST]"
```

## Fix safety
There is no fix: the whole template has to fit the model.

## Source
The vocabulary in the GGUF (tokenizer.ggml.tokens).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.lint.templates.template import SPECIAL, texts, used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield each token that is missing, where it stands first."""
    vocabulary = document.model.vocabulary if document.model else None
    found = used(document) if vocabulary else None
    if found is None or vocabulary is None:
        return
    each, template = found
    looks = {_look(token) for token in vocabulary.controls()}
    if not any(token.startswith(("<|", "<｜")) for token in vocabulary.controls()):
        return  # no control token has this shape: tuned models of such families learn the text
    seen = set()
    for words in texts(template):
        for token in SPECIAL.finditer(words.value):
            text = token.group()
            if text in seen or not text.startswith(("<|", "<｜")):
                continue
            seen.add(text)
            if vocabulary.id_of(text) is None and _look(text) not in looks:
                span = each.span(words.start + token.start(), words.start + token.end())
                yield Finding(span, f"the model has no token {text}", "use the template that the model was trained on")


def _look(token: str) -> str:
    return "".join(token.replace("｜", "|").replace("▁", "").replace("_", "").split()).lower()
