r"""An escape outside of `{{ … }}` is not an escape: the model reads a backslash and a letter.

## What it does
Reports `\n`, `\t`, `\\n` and HTML entities such as `&lt;think&gt;` in the text of a template.

## Why
Neither Modelfiles nor Go templates know escapes in text. The tokens differ from those the model was trained on, and Ollama does
not see that a prompt ends with `<think>` where `\n` stands behind it.

## Example
```modelfile
FROM deepseek-r1:8b
TEMPLATE "{{ .Prompt }}<｜Assistant｜><think>\n"
```

## Use instead
```modelfile
FROM deepseek-r1:8b
TEMPLATE {{ .Prompt }}<｜Assistant｜>{{ "<think>\n" }}
```

## Fix safety
Unsafe: a text may talk about escapes. A line break is written, or `{{ "\n" }}` where a trim marker would eat it.

## Source
Ollama parser/parser.go (no escapes in values); Go, text/template.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, unsafe_fix
from modelsmith.lint.templates.template import MOST, counted, texts
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.template.go.template import Template

_ESCAPES = regex(r"(?:\\{1,2}(?:r\\{1,2}n|[nt])(?![a-z0-9_]))+")
_ENTITIES = regex(r"&lt;/?[^\s&<>;]{1,60}&gt;")
_MEANT = regex(r"\\{1,2}(?:r\\{1,2})?([nt])")


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield escapes in texts, a run of them once."""
    found = counted(document)
    if found is None or ("\\" not in found[0].text and "&lt;" not in found[0].text):
        return
    yield from islice(_findings(*found), MOST)


def _findings(embedded: EmbeddedTemplate, template: Template) -> Iterator[Finding]:
    for words in texts(template):
        for run, is_quoted in _runs(words.value):
            if not is_quoted:
                start, end = words.start + run.start(), words.start + run.end()
                message = f"{run.group()} is printed as it stands: there are no escapes outside of {{{{ … }}}}"
                hint = f'write a line break, or {{{{ "{_meant(run.group(), escaped=True)}" }}}}'
                yield Finding(embedded.span(start, end), message, hint, _fix(embedded, start, end))
        for run in _ENTITIES.finditer(words.value):
            start, end = words.start + run.start(), words.start + run.end()
            import html

            meant = html.unescape(run.group())
            fix = unsafe_fix(f"write {meant}", Edit(embedded.span(start, end), meant))
            yield Finding(embedded.span(start, end), f"{run.group()} is printed as it stands", f"write {meant}", fix)


def _runs(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield runs of escapes, and whether they stand inside of "…" on their line: text about code has escapes of its own."""
    place, is_quoted = 0, False
    for run in _ESCAPES.finditer(text):
        line = text.rfind("\n", place, run.start()) + 1
        if line > 0:
            place, is_quoted = line, False
        is_quoted ^= text.count('"', place, run.start()) % 2 == 1
        place = run.start()
        yield run, is_quoted


def _meant(run: str, *, escaped: bool) -> str:
    parts = (match[1] for match in _MEANT.finditer(run))
    return "".join(f"\\{part}" if escaped else {"n": "\n", "t": "\t"}[part] for part in parts)


def _fix(embedded: EmbeddedTemplate, start: int, end: int) -> Fix | None:
    """Return the fix that survives the trim markers around, and the quotes of the value."""
    text, run = embedded.text, embedded.text[start:end]
    is_trimmed = text[end:].lstrip().startswith("{{-") or text[:start].rstrip().endswith("-}}")
    quote = embedded.instruction.quote if embedded.instruction else '"""'
    if quote != '"""' and (is_trimmed or not quote):
        if quote or "\n" in text:
            return None
        is_trimmed = True
    instead = f'{{{{ "{_meant(run, escaped=True)}" }}}}' if is_trimmed else _meant(run, escaped=False)
    return unsafe_fix("write what the escape means", Edit(embedded.span(start, end), instead))
