"""A Modelfile's bytes as text and back, without loss, and the text as Ollama's parser sees it.

Sources: Ollama ``parser/parser.go`` (``ParseFile``), ``golang.org/x/text/encoding/unicode`` (``BOMOverride``).
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.printable import is_printable

if TYPE_CHECKING:
    import re

BOM = "\ufeff"
_ORDINARY = regex(r"[\x20-\x7e\t\r\n]*")
_SURROGATES = regex(r"[\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How text became from bytes: a codec, and whether the last character stands for half a UTF-16 unit."""

    codec: str = "utf-8"
    is_odd: bool = False


UTF_8 = Encoding()


def decode(data: bytes) -> tuple[str, Encoding]:
    """Return the text of a file, its byte order mark included; bytes that are no text become lone surrogates."""
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            whole = data[: len(data) & ~1].decode(codec, "surrogatepass")
            is_odd = len(data) % 2 == 1
            return whole + (chr(0xDC00 + data[-1]) if is_odd else ""), Encoding(codec, is_odd)
    return data.decode("utf-8", "surrogateescape"), Encoding()


def encode(text: str, encoding: Encoding = UTF_8) -> bytes:
    """Return the bytes that ``decode`` was given, or those of an edited text in the same encoding."""
    if encoding.codec == "utf-8":
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # a str from elsewhere with surrogates that stand for no byte
            return text.encode("utf-8", "surrogatepass")
    if encoding.is_odd and text and 0xDC00 <= ord(text[-1]) <= 0xDCFF:
        return text[:-1].encode(encoding.codec, "surrogatepass") + bytes([ord(text[-1]) - 0xDC00])
    return text.encode(encoding.codec, "surrogatepass")


def survives(text: str, encoding: Encoding) -> bool:
    """Say whether the text comes back from its bytes; halves of characters that meet in an edit become another one."""
    return not _SURROGATES.search(text) or decode(encode(text, encoding)) == (text, encoding)


@dataclass(frozen=True, slots=True)
class Characters:
    """What Ollama's parser makes of the characters of one text.

    ``masked`` is as long as the text. U+0000 stands for each character that is dropped, U+FFFD for what is no text, and
    U+0001 for bytes that share the U+FFFD before them.
    """

    masked: str
    dropped: dict[int, None]
    whole_runs: bool

    @classmethod
    def of(cls, text: str, encoding: Encoding) -> Characters:
        """Look at all characters of ``text`` once."""
        if _ORDINARY.fullmatch(text):
            return cls(text, {}, whole_runs=False)
        mark = BOM if text.startswith(BOM) else ""
        body = text[len(mark) :]
        table = {ord(char): seen for char in set(body) if (seen := _seen(char)) != char or char == "\0"}
        masked = body.translate(table)
        # Without a byte order mark Ollama decodes broken UTF-8 as Unicode advises, one U+FFFD for a cut-off character;
        # after one it passes the bytes on, and each of them becomes a U+FFFD.
        whole_runs = encoding.codec == "utf-8" and not mark
        if whole_runs and (runs := list(_SURROGATES.finditer(body))):
            characters = list(masked)
            for run in runs:
                characters[run.start() : run.end()] = _mask_run(run[0])
            masked = "".join(characters)
        return cls(mark + masked, {code: None for code, seen in table.items() if seen == "\0"}, whole_runs)

    def value(self, raw: str) -> str:
        """Return what Ollama reads of a part of the text: dropped characters vanish, broken ones become U+FFFD."""
        text = raw if raw.isascii() else _SURROGATES.sub(self._replaced, raw)
        return text.translate(self.dropped) if self.dropped else text

    def _replaced(self, run: re.Match[str]) -> str:
        return encode(run[0]).decode("utf-8", "replace") if self.whole_runs else "\ufffd" * len(run[0])


def _seen(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return char if char in "\t\r\n" or is_printable(char) else "\0"


def _mask_run(run: str) -> str:
    """Mask bytes that were no text where they stood; as many characters come out as go in."""
    data, masked = encode(run), ""
    while data:
        try:
            valid, bad, data = data.decode(), 0, b""
        except UnicodeDecodeError as error:
            valid, bad, data = data[: error.start].decode(), error.end - error.start, data[error.end :]
        masked += "".join(_seen(char) + "\1" * (len(char.encode()) - 1) for char in valid)
        masked += "\ufffd" + "\1" * (bad - 1) if bad else ""
    return masked[: len(run)]
