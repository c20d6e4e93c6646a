'''A value goes on below its line, and Ollama reads what follows as instructions.

## What it does
Reports texts of several lines without `"""`, in curly or single quotes, with backslashes at line ends, beginning on the line
below their instruction, or closed early by a quote at the end of a line.

## Why
A value without quotes ends with its line; the next line is then no instruction, and `ollama create` stops there.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM You are a helpful assistant.
Answer in one sentence.
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM """You are a helpful assistant.
Answer in one sentence."""
```

## Fix safety
Safe where only the opening quotes stand on the wrong line; else unsafe, as nobody but the author knows where the text ends.

## Source
Ollama parser/parser.go (ParseFile, unquote).
'''

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.lines import number_of
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.nodes import Instruction, Unreadable
from modelsmith.syntax.modelfile.quote import is_triple_safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document
    from modelsmith.lint.facts.faults import Blame

_ODD_OPENING = regex(r"[“”„″‟]+|'''|```")
_ODD_CLOSING = regex(r"(?:[“”„″‟]+|'''|```)$")
_CONTINUED = regex(r"[ \t]*\\[ \t]*(?=\r?\n)")


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield values that their lines do not hold."""
    for blame in blamed(document, "MS103"):
        opener = blame.opener
        if isinstance(opener, Unreadable) or (opener and not opener.value):
            yield _below(document, blame, opener.span)
        elif opener and opener.quote:
            yield _closed_early(document, blame, opener)
        elif opener:
            yield _bare(document, blame, opener)


def _bare(document: Document, blame: Blame, opener: Instruction) -> Finding:
    count = len(blame.block)
    end = blame.block[-1].span.end
    text = document.text[opener.value_span.start : end]
    message = f"{opener.keyword} on line {number_of(document, opener)} ends with its line; {_lines(count)}"
    hint = f'write {opener.keyword} """ before its first word and """ after its last'
    opening, closing = _ODD_OPENING.match(text), _ODD_CLOSING.search(text)
    if opening:
        message = f"{opening[0]} is no quote to Ollama, so {opener.keyword} ends with its line; {_lines(count)}"
        hint = 'write """ in its place, at both ends'
    elif opener.value.endswith("\\"):
        message = f"a \\ at the end of a line continues nothing; {_lines(count)}"
    start = opener.value_span.start + (opening.end() if opening else 0)
    stop = end - (len(closing[0]) if closing else 0)
    inner = _CONTINUED.sub("", document.text[start:stop]) if opener.value.endswith("\\") else document.text[start:stop]
    fix = None
    if stop > start and is_triple_safe(inner):
        fix = unsafe_fix('wrap it in """', Edit(Span(opener.value_span.start, end), f'"""{inner}"""'))
    return Finding(_first_line(document, blame), message, hint, fix)


def _below(document: Document, blame: Blame, opener: Span) -> Finding:
    """Return a finding for a value that begins on the line below its instruction."""
    following = blame.block[1] if isinstance(blame.opener, Unreadable) else blame.block[0]
    keyword = opener.of(document.text).split()[0]
    gap = Span(opener.start + len(keyword), following.span.start)
    rest = document.text[following.span.start :]
    fix: Fix
    if rest.startswith('"'):
        hint = f"the opening quote stands on the line of {keyword}"
        fix = safe_fix("put the quote there", Edit(gap, " "))
    else:
        hint = f'write {keyword} """ there and """ after its last line'
        end = blame.block[-1].span.end
        inner = document.text[following.span.start : end]
        edits = (Edit(gap, ' """' + document.text[gap.start : gap.end].lstrip(" \t\0")), Edit.insert(end, '"""'))
        fix = unsafe_fix('wrap it in """', *edits)
        if not is_triple_safe(inner):
            return Finding(opener, f"the value of {keyword} must begin on its line", hint)
    if isinstance(blame.opener, Unreadable):
        return Finding(opener, f"the value of {keyword} must begin on its line", hint, fix)
    return Finding(
        _first_line(document, blame), f"the value of {keyword} must begin on its line, not below it", hint, fix
    )


def _closed_early(document: Document, blame: Blame, opener: Instruction) -> Finding:
    quote = opener.quote
    line = document.source.position(opener.quoted_span.end - 1)[0]
    message = f"the {quote} at the end of line {line} already ends {opener.keyword}; {_lines(len(blame.block))}"
    hint = f"a {quote} at the end of a line closes the value: put a character after it, or" + (
        ' write """ at both ends' if quote == '"' else " close the text above first"
    )
    end = blame.block[-1].span.end
    inner = document.text[opener.value_span.start : end].rstrip()
    fix = None
    if quote == '"' and inner.endswith('"') and is_triple_safe(inner[:-1]):
        fix = unsafe_fix('write """ at both ends', Edit(Span(opener.quoted_span.start, end), f'"""{inner[:-1]}"""'))
    return Finding(_first_line(document, blame), message, hint, fix)


def _lines(count: int) -> str:
    if count == 1:
        return "this line is no instruction"
    return f"this line and the {'next' if count == 2 else f'{count - 1} after it'} are no instructions"


def _first_line(document: Document, blame: Blame) -> Span:
    first = blame.node.span
    text = first.of(document.text).splitlines()[0]
    return Span(first.start, first.start + len(text))
