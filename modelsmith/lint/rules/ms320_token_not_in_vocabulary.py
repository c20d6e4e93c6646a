"""The template prints a control token that the model does not have.

## What it does
With the model's vocabulary at hand: reports tokens such as `<|im_start|>` and `<start_of_turn>` in the template that it does not
have, and nothing like them. Silent for models without tokens of this form (Llama 2, Mistral), whose tuned versions learn the text,
unless they have turn tokens of their own (Gemma) or placeholders such as `<dummy32005>`, behind which a conversion lost the real tokens.

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
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


_OWN_TURNS = ("<start_of_turn>", "<end_of_turn>")
_DUMMY = regex(r"<dummy\d+>|\[PAD\d+\]")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield each token that is missing, where it stands first."""
    vocabulary = document.model.vocabulary if document.model else None
    found = used(document) if vocabulary else None
    if found is None or vocabulary is None:
        return
    embedded, template = found
    controls = tuple(vocabulary.controls())
    looks = {_look(token) for token in controls}
    dummies = [token for token in controls if _DUMMY.fullmatch(token)]
    if not dummies and not any(token.startswith(("<|", "<｜", *_OWN_TURNS)) for token in controls):
        return  # no control token has this shape: tuned models of such families learn the text
    hint = "use the template that the model was trained on"
    if dummies:
        hint = f"the vocabulary has {dummies[0]} in its place: convert the model again with its added_tokens.json"
    seen = set()
    for words in texts(template):
        for token in SPECIAL.finditer(words.value):
            text = token.group()
            if text in seen or not text.startswith(("<|", "<｜", *_OWN_TURNS)):
                continue
            seen.add(text)
            if vocabulary.id_of(text) is None and _look(text) not in looks:
                span = embedded.span(words.start + token.start(), words.start + token.end())
                yield Finding(span, f"the model has no token {text}", hint)


def _look(token: str) -> str:
    return "".join(token.replace("｜", "|").replace("▁", "").replace("_", "").split()).lower()
