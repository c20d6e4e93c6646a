"""Texts as llama.cpp holds them: bytes of UTF-8, one character a byte.

llama.cpp counts, slices and compares bytes. Here such a text is a ``str`` whose characters are bytes (code points 0 to 255):
all operations of ``str`` then count bytes too, and an ASCII text is itself.
"""

from __future__ import annotations

from modelsmith.patterns import regex

WHITE = " \t\n\v\f\r"
"""What ``isspace`` of C takes for white space."""

_LINE_END = regex(r"\r\n?")
_LOWER = {ord(char): ord(char.upper()) for char in "abcdefghijklmnopqrstuvwxyz"}
_UPPER = {ord(char): ord(char.lower()) for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def to_bytes(text: str) -> str:
    """Return a text as bytes, one character each."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def from_bytes(text: str) -> str:
    """Return the text that these bytes are; what is not UTF-8 is a replacement character, as in llama-server's answers."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def with_plain_line_ends(text: str) -> str:
    r"""Return the text with every line end a ``\n``."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def upper(text: str) -> str:
    """Make ASCII letters capitals, and no others."""
    return text.upper() if text.isascii() else text.translate(_LOWER)


def lower(text: str) -> str:
    """Make ASCII letters small, and no others."""
    return text.lower() if text.isascii() else text.translate(_UPPER)


def shared_start(left: str, right: str) -> int:
    """Return how many characters two texts begin with in common."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    low, high = 0, size
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[:middle] == right[:middle] else (low, middle - 1)
    return low
