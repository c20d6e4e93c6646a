"""Characters in a value disappear when Ollama reads the file.

## What it does
Reports characters that Ollama drops from names and values: no-break and full-width spaces, zero-width characters, control
characters, private-use symbols.

## Why
The Modelfile parser keeps printable characters, blanks and line ends only. Words that U+3000 separates grow together, emoji
families that U+200D joins fall apart, and nobody is told.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM "你是助手　请用中文回答"
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM "你是助手 请用中文回答"
```

## Fix safety
Safe for characters that nobody sees: removing them is what Ollama does anyway. Unsafe for spaces, in whose place an ordinary
space is put. No fix for joiners and symbols: a Modelfile cannot carry them, the API can.

## Source
Ollama parser/parser.go (isValidRune): Go's strconv.IsPrint decides.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.facts.faults import blamed
from modelsmith.lint.facts.lines import plural
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.patterns import regex
from modelsmith.source import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Fix
    from modelsmith.lint.document import Document

_ANSI = regex(r"\x1b[\[\]()#;?]*[0-9;]*[A-Za-z]?")
_BYTES = regex(r"[\udc80-\udcff]")
_JOINERS = "\u200c\u200d"
_CONTROLS = {
    0: "NUL",
    7: "BEL",
    8: "BACKSPACE",
    11: "VERTICAL TAB",
    12: "FORM FEED",
    0x1B: "ESC",
    0x7F: "DEL",
    0x85: "NEL",
}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield one finding for each dropped character of an instruction, at its first place."""
    if document.modelfile is None or not document.modelfile.characters.dropped or any(blamed(document, "MS107")):
        return
    text, masked = document.text, document.modelfile.characters.masked
    is_utf8 = not _BYTES.search(text)
    colours = {place for found in _ANSI.finditer(text) for place in range(*found.span())}
    for instruction in document.instructions:
        places: dict[str, list[int]] = {}
        for place in _dropped(masked, instruction.span):
            if place not in colours and (is_utf8 or text[place].isascii()):
                places.setdefault(text[place], []).append(place)
        for char, found in places.items():
            times = "" if len(found) == 1 else f" ({plural(len(found), 'time', 'times')})"
            yield Finding(
                Span(found[0], found[0] + 1),
                f"Ollama drops {label(char)} from {instruction.keyword}{times}",
                _hint(char),
                _fix(char, found),
            )


def label(char: str) -> str:
    """Return the code and the name of a character."""
    name = unicodedata.name(char, _CONTROLS.get(ord(char), ""))
    return f"U+{ord(char):04X}{f' ({name})' if name else ''}"


def _dropped(masked: str, span: Span) -> Iterator[int]:
    place = masked.find("\0", span.start, span.end)
    while place >= 0:
        yield place
        place = masked.find("\0", place + 1, span.end)


def _hint(char: str) -> str:
    if unicodedata.category(char) == "Zs":
        return "an ordinary space stays"
    if _is_lost(char):
        return "a Modelfile cannot carry it; the API can"
    return "remove it"


def _is_lost(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in ("Co", "Cn") or ord(char) >= 0xE0000


def _fix(char: str, places: list[int]) -> Fix | None:
    spans = [Span(place, place + 1) for place in places]
    if unicodedata.category(char) in ("Zs", "Zl", "Zp"):
        return unsafe_fix("write an ordinary space", *(Edit(span, " ") for span in spans))
    if _is_lost(char):
        return None
    return safe_fix("remove it, as Ollama does", *(Edit.delete(span) for span in spans))
