"""Write a value so that Ollama reads exactly it, or say why no quoting can.

Source: Ollama ``parser/parser.go`` (``ParseFile``, ``unquote``): there are no escapes, a quote closes at the end of a line.
"""

from __future__ import annotations

import re
import unicodedata

from modelsmith.errors import UnquotableValue
from modelsmith.patterns import regex
from modelsmith.source import Source
from modelsmith.syntax.modelfile.printable import is_printable

_TRIPLE_ENDS_LINE = regex(r'"""[ \t]*[\r\n]')
_QUOTE_ENDS_LINE = regex(r'"[ \t]*[\r\n]')


def is_raw_safe(value: str) -> bool:
    """Whether ``value`` can stand without quotes."""
    return not re.search(r'[\r\n]|^["\t ]|[\t ]$', value)


def is_quote_safe(value: str) -> bool:
    """Whether ``"value"`` is read as ``value``."""
    return value != '"' and not value.startswith('""') and not _QUOTE_ENDS_LINE.search(value)


def is_triple_safe(value: str) -> bool:
    """Whether the value between triple quotes is read as ``value``."""
    return not _TRIPLE_ENDS_LINE.search(value)


def quote(value: str, prefer: str = "") -> str:
    """Return ``value`` as it is written in a Modelfile; ``prefer`` quotes (``"`` or triple) are kept where they can be.

    Raises UnquotableValue for a value that cannot be carried.
    """
    _refuse_dropped(value)
    styles = {"": is_raw_safe(value) and value != "", '"': is_quote_safe(value), '"""': is_triple_safe(value)}
    # one " around text with line ends or quotes of its own works, but people misread it
    plain = not any(char in value for char in '\n\r"')
    order = (prefer, "", '"') if plain else ("" if prefer == '"' else prefer, "", '"""', '"')
    for style in order:
        if styles[style]:
            return style + value + style
    match = _TRIPLE_ENDS_LINE.search(value)
    line = Source(value).position(match.start())[0] if match else 1
    raise UnquotableValue(
        f'line {line} of the value ends with """, which would end the value there',
        hint='put a character after the """ on that line, or set the value through the API',
    )


def _refuse_dropped(value: str) -> None:
    if value.isascii() and value.isprintable():
        return
    for offset, char in enumerate(value):
        if not is_printable(char) and char not in "\t\r\n":
            line, column = Source(value).position(offset)
            name = unicodedata.name(char, "")
            label = f"U+{ord(char):04X}{f' ({name})' if name else ''}"
            raise UnquotableValue(
                f"line {line}, column {column} of the value is {label}, which Ollama drops from a Modelfile",
                hint="remove the character, or set the value through the API",
            )
