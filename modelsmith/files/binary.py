"""Tell text from what is none, so that nothing that edits text ever touches weights or any other binary file."""

from __future__ import annotations

import codecs

BINARY_ENDINGS = (".gguf", ".safetensors")
"""Names of files that are never text, whatever they hold."""

_MAGIC = b"GGUF"
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 1 << 16  # bytes by which UTF-16 without a mark is told
_MOSTLY = 0.6


def is_binary_name(name: str) -> bool:
    """Say whether a file of this name is never text."""
    return name.casefold().endswith(BINARY_ENDINGS)


def binary_reason(data: bytes) -> str:
    """Return why bytes are no text, "" where they may be: text has no NUL, except as half of a character in UTF-16."""
    if data.startswith(_MAGIC):
        return "it is a GGUF"
    place = data.find(b"\0")
    if place < 0 or _is_utf16(data):
        return ""
    return f"byte {place + 1:,} is NUL"


def undecodable(data: bytes) -> str:
    """Return which byte of a text cannot be decoded in its encoding (UTF-16 with its mark, else UTF-8), "" where all can."""
    codec = next((codec for mark, codec in _MARKS if data.startswith(mark)), "utf-8")
    try:
        data.decode(codec)
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1:,} (0x{data[error.start]:02X}) is no {codec.upper()}"
    return ""


def _is_utf16(data: bytes) -> bool:
    """Whether NULs are halves of characters: those of a marked UTF-16, or of one that is mostly ASCII."""
    whole = data[: len(data) & ~1]
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return "\0" not in whole.decode(codec, "surrogatepass")
    if len(data) % 2:
        return False
    for _, codec in _MARKS:
        try:
            text = data[:_LOOKED_AT].decode(codec)
        except UnicodeDecodeError:
            continue
        if sum(map(str.isascii, text)) > _MOSTLY * len(text):
            return "\0" not in data.decode(codec, "surrogatepass")
    return False
