"""The token that ends a turn in the template ends no answer.

## What it does
With the model at hand: reports a template whose past answers end with a token that is neither one of the model's end tokens nor
a `stop`.

## Why
The model ends its turn with that token, as it learned to, and Ollama goes on: the answer runs into an invented next turn.

## Example
<!-- needs a model -->
```modelfile
FROM ./tuned.gguf
TEMPLATE "{{ .Prompt }}<|im_start|>assistant {{ .Response }}<|im_end|>"
```

## Use instead
```modelfile
FROM ./tuned.gguf
TEMPLATE "{{ .Prompt }}<|im_start|>assistant {{ .Response }}<|im_end|>"
PARAMETER stop "<|im_end|>"
```

## Fix safety
Unsafe: a `stop` replaces the list of stops that the base brings along.

## Source
llama.cpp (end-of-generation tokens); ollama issues 2334 and 8363.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import BEGINNINGS, END, SPECIAL, heading, stops, used
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield a turn's end that nothing stops at."""
    found, model = used(document), document.model
    if found is None or model is None or model.is_decision:
        return
    embedded, template = found
    ends = {token for token in (model.eos, model.eot, *model.end_tokens) if token}
    turns = probes(template).turns()
    if turns is None or not ends:
        return
    closing = turns.closing.lstrip()
    token = SPECIAL.match(closing)
    if token is None or token.group() in ends or any(stop and closing.startswith(stop) for stop in stops(document)):
        return
    end = token.group()
    if end in {model.bos, *BEGINNINGS} or (not END.fullmatch(end) and end in turns.before):
        return  # it begins the next turn: MS319 says that this one has no end
    if model.vocabulary and model.vocabulary.id_of(end) is None:
        return
    message = (
        f"past answers end with {end}, but nothing stops the model there: it ends with {' or '.join(sorted(ends))}"
    )
    yield Finding(heading(embedded), message, f'add PARAMETER stop "{end}"', _fix(document, end))


def _fix(document: Document, end: str) -> Fix | None:
    if document.modelfile is None:
        return None
    place = len(document.text)
    line = f'PARAMETER stop "{end}"\n'
    if document.text and not document.text.endswith("\n"):
        line = "\n" + line
    return unsafe_fix(f"stop at {end}", Edit.insert(place, line))
