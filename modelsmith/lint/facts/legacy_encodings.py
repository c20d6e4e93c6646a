"""Which encoding bytes that are no UTF-8 were probably written in, by the letters that come out."""

from __future__ import annotations

from typing import NamedTuple

from modelsmith.patterns import regex

_ENOUGH = 0.6
_FEWEST = 8
_LOOKED_AT = 100_000
_CODECS = (
    ("cp949", "CP949 (Korean)", regex("[\uac00-\ud7a3]")),
    ("shift_jis", "Shift JIS (Japanese)", regex("[\u3040-\u30ff]")),
    ("cp1251", "Windows-1251 (Cyrillic)", regex("[\u0430-\u044f\u0451]")),
    ("gb18030", "GB18030 (Chinese)", regex("[\u4e00-\u9fff\u3000-\u303f\uff00-\uff5e]")),
    (
        "cp1252",
        "Windows-1252 (Western European)",
        regex("[\u00c0-\u00ff\u2013\u2014\u2018-\u201d\u00ab\u00bb\u2026]"),
    ),
)
_ALONE = regex(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_FOREIGN = regex(rb"[\x80-\xff]")


class Guess(NamedTuple):
    """A codec of Python, its name for people, and the text that it gives."""

    codec: str
    name: str
    text: str


def guess(data: bytes) -> Guess | None:
    """Return the encoding that gives mostly letters of its language, None where none does.

    Cyrillic counts in small letters only: as Windows-1251, Chinese text is mostly capitals.
    """
    foreign = _FOREIGN.findall(data[:_LOOKED_AT])
    # letters between ASCII ones are Western: in the other encodings they come in pairs or in words
    is_western = len(_ALONE.findall(data[:_LOOKED_AT])) > _ENOUGH * len(foreign)
    if not is_western and len(foreign) < _FEWEST:
        return None
    for codec, name, letters in _CODECS[-1:] if is_western else _CODECS:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        others = [char for char in text[:_LOOKED_AT] if not char.isascii()]
        if others and len(letters.findall("".join(others))) > _ENOUGH * len(others):
            return Guess(codec, name, text)
    return None
