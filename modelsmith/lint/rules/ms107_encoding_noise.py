"""The file's encoding, or what a terminal left in it, will do harm.

## What it does
Reports UTF-16 with and without its mark, bytes that are no UTF-8, text that was decoded wrongly (`â€™` for `’`), lost
characters (U+FFFD) and colour codes of a terminal. A UTF-8 byte order mark is information.

## Why
Ollama reads marked UTF-16 but other tools do not; without the mark it refuses the file. Bytes that are no UTF-8 reach the model
as U+FFFD, and of a colour code its visible half (`[0m`).

## Example
```modelfile
FROM llama3.2:3b
SYSTEM "Donâ€™t guess."
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "Don’t guess."
```

## Fix safety
Safe: the byte order mark is removed and the file written as UTF-8. Unsafe: colour codes are removed; unmarked UTF-16, and
bytes whose encoding shows, are decoded. No fix for characters that are already lost.

## Source
Ollama parser/parser.go (ParseFile: unicode.BOMOverride); ollama issues 4503 and 14475.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.legacy_encodings import guess
from modelsmith.lint.facts.lines import plural
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span
from modelsmith.syntax.modelfile.text import BOM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document

_COLOUR = regex(r"\x1b\[[0-9;?]*[A-Za-z]")
_BYTES = regex(r"[\udc80-\udcff]+")
_MOJIBAKE = regex(
    "â€[\u2122\u0153\u009d\u201d\u201c\u2013\u2014\u02dc\u00a6\u0161\u00a2]|Ã[\u00a9\u00a8\u00a4\u00b6\u00bc\u00b1\u00a7\u00aa\u00a1\u00ba\u00a2\u0178]"
    "|Â[\u00a0\u00b0\u00a9\u00ae\u00bb\u00ab\u00b7]|ï½[\u0153\u00bc\u0161]|ï¼[\u0152\u0161\u0178]|ã€[\u201a\u0081\u0152]|â–[\u0081\u2022]|ðŸ[\u02dc\u0152\u2019\u201c]"
)


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield what is wrong with the encoding."""
    if document.modelfile is None:
        return
    text = document.text
    for blame in blamed(document, "MS107"):
        whole = Span(0, len(text))
        decoded = unsafe_fix("decode it", Edit(whole, text.replace("\0", "")))
        message = "this is UTF-16 without a byte order mark, and Ollama stops here"
        yield Finding(
            Span(blame.node.span.start, blame.node.span.start + 1), message, "save it as UTF-8", decoded, Severity.ERROR
        )
        return
    if document.encoding.codec != "utf-8":
        fix = safe_fix("write UTF-8", Edit.delete(Span(0, 1))) if text.startswith(BOM) else None
        message = f"the file is {document.encoding.codec.upper()}; Ollama reads it, most other tools do not"
        yield Finding(Span(0, 0), message, "PowerShell's > writes UTF-16: use `| Out-File -Encoding utf8`", fix)
    elif text.startswith(BOM):
        fix = None if _BYTES.search(text) else safe_fix("remove it", Edit.delete(Span(0, 1)))
        yield Finding(Span(0, 1), "the file begins with a byte order mark", "UTF-8 needs none", fix, Severity.INFO)
    yield from _inside(document)


def _inside(document: Document) -> Iterator[Finding]:
    text = document.text
    if colours := list(_COLOUR.finditer(text)):
        removed = unsafe_fix("remove them", *(Edit.delete(Span(*match.span())) for match in colours))
        message = f"{plural(len(colours), 'colour code', 'colour codes')} of a terminal; Ollama drops only ESC"
        yield Finding(Span(*colours[0].span()), message, "print the Modelfile to a file instead of a terminal", removed)
    if text.isascii():
        return
    if broken := _BYTES.search(text):
        data = " ".join(f"0x{ord(char) & 0xFF:02X}" for char in broken[0][:4])
        message = f"{data} is no UTF-8; Ollama reads U+FFFD in its place"
        found = guess(bytes(document.modelfile)) if document.modelfile and not text.startswith(BOM) else None
        hint = f"it looks like {found.name}; save the file as UTF-8" if found else "save the file as UTF-8"
        fix = unsafe_fix(f"read it as {found.name}", Edit(Span(0, len(text)), found.text)) if found else None
        yield Finding(Span(*broken.span()), message, hint, fix)
    if (lost := text.find("\ufffd")) >= 0:
        message = "U+FFFD stands where a character was lost before this file was written"
        yield Finding(Span(lost, lost + 1), message, "write the character again")
    if wrong := list(_MOJIBAKE.finditer(text)):
        message = f'"{wrong[0][0]}" looks like UTF-8 that was decoded as Windows-1252'
        if len(wrong) > 1:
            message += f" ({plural(len(wrong), 'place', 'places')})"
        yield Finding(Span(*wrong[0].span()), message, "restore the text from where it was still right")
