"""The template begins with the token that llama.cpp puts in front of every prompt anyway.

## What it does
With the model at hand: reports a prompt that begins with the model's BOS token while its tokenizer adds one. From the text alone the
tokens of Llama 3 and DeepSeek are known to be added.

## Why
The model sees the token twice, which it never did in training; answers get worse, and nothing but a line in the server's log says so.

## Example
```modelfile
FROM ./llama3.gguf
TEMPLATE "<|begin_of_text|>{{ .Prompt }}"
```

## Use instead
```modelfile
FROM ./llama3.gguf
TEMPLATE "{{ .Prompt }}"
```

## Fix safety
Safe with the model at hand, else unsafe: the token is removed.

## Source
llama.cpp (add_bos_token; "double BOS"); Ollama takes only `<bos>` away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import texts, used
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_ADDED = ("<|begin_of_text|>", "<｜begin▁of▁sentence｜>")
_STRIPPED = "<bos>"


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield the BOS at the beginning of a prompt."""
    found = used(document)
    if found is None:
        return
    model = document.model
    if model is not None and model.bos:
        tokens: tuple[str, ...] = (model.bos,) if model.adds_bos else ()
    else:
        tokens = _ADDED
    embedded, template = found
    for token in tokens:
        if token == _STRIPPED or token not in template.text:
            continue
        if not any(probes(template).prompt(chat).startswith(token) for chat in ("system", "turns")):
            continue
        is_sure = model is not None and bool(model.bos)
        for words in texts(template):
            place = words.value.find(token)
            if place >= 0:
                span = embedded.span(words.start + place, words.start + place + len(token))
                made = safe_fix if is_sure else unsafe_fix
                fix = made(f"remove {token}", Edit.delete(span))
                message = f"prompts begin with {token}, which llama.cpp adds to every prompt: the model sees it twice"
                severity = Severity.WARNING if is_sure else Severity.INFO
                yield Finding(span, message, "remove it from the template", fix, severity)
                break
