"""A parameter's value is outside of the range in which it makes sense.

## What it does
Reports probabilities above 1 or below 0, a negative temperature or top_k, a context without tokens, a penalty that rewards
repetition.

## Why
Ollama accepts them: it does not look at what a number means. What follows is an error when the model is loaded, or answers of
another kind than was meant.

## Example
```modelfile
FROM llama3.2:3b
PARAMETER top_p 90
```

## Use instead
```modelfile
FROM llama3.2:3b
PARAMETER top_p 0.9
```

## Fix safety
Unsafe: a percentage becomes a fraction. No fix for the others.

## Source
Ollama docs/modelfile.mdx; llama.cpp common/sampling.cpp and tools/server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.diagnostic import Severity
from modelsmith.gonumber import read_float
from modelsmith.lint.facts.parameter_faults import bad_parameters
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document


class _Range(NamedTuple):
    least: float
    most: float
    sense: str


_INFINITE = float("inf")
_PROBABILITY = _Range(0, 1, "a probability between 0 and 1")
_RANGES = {
    "temperature": _Range(0, 5, "0 for the likeliest token, about 1 for variety"),
    "top_p": _PROBABILITY,
    "min_p": _PROBABILITY,
    "typical_p": _PROBABILITY,
    "top_k": _Range(0, _INFINITE, "a number of tokens, 0 for all"),
    "num_ctx": _Range(1, _INFINITE, "a number of tokens, such as 8192"),
    "num_batch": _Range(1, _INFINITE, "a number of tokens, such as 512"),
    "num_thread": _Range(0, _INFINITE, "a number of threads, 0 lets Ollama decide"),
    "num_gpu": _Range(-1, _INFINITE, "a number of layers, -1 lets Ollama decide"),
    "main_gpu": _Range(0, _INFINITE, "the number of a GPU, from 0 on"),
    "num_keep": _Range(-1, _INFINITE, "a number of tokens, -1 for the whole prompt"),
    "num_predict": _Range(-2, _INFINITE, "a number of tokens, -1 for no limit"),
    "repeat_last_n": _Range(-1, _INFINITE, "a number of tokens, 0 for none, -1 for the context"),
    "draft_num_predict": _Range(0, _INFINITE, "a number of tokens, 0 disables the draft model"),
    "repeat_penalty": _Range(0.5, 3, "1 for no penalty, about 1.1 for some"),
    "presence_penalty": _Range(-2, 2, "a number between -2 and 2"),
    "frequency_penalty": _Range(-2, 2, "a number between -2 and 2"),
}
_PERCENT = range(2, 101)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # hexadecimal, which only Go reads
        return read_float(text) or 0.0


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield values that make no sense."""
    refused = {id(parameter.instruction) for parameter in bad_parameters(document)}
    for instruction in document.find("PARAMETER"):
        row = _RANGES.get(instruction.name)
        if row is None or id(instruction) in refused:
            continue
        value = _number(instruction.value)
        if not row.least <= value <= row.most:
            fix: Fix | None = None
            if row is _PROBABILITY and value in _PERCENT:
                fix = unsafe_fix(f"write {value / 100:g}", Edit(instruction.quoted_span, f"{value / 100:g}"))
            yield Finding(
                instruction.quoted_span,
                f"{instruction.name} {instruction.value} is out of range",
                f"it takes {row.sense}",
                fix,
            )
        elif instruction.name == "num_predict" and value == 0:
            yield Finding(instruction.quoted_span, "num_predict 0 generates nothing", "-1 has no limit")
