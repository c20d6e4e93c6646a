"""What a file looks like by its first bytes, as far as Ollama asks.

Source: Go ``net/http/sniff.go`` (``DetectContentType``), without the parameters that Ollama cuts off.
"""

from __future__ import annotations

import re

from modelsmith.patterns import regex

SNIFFED_BYTES = 512

_HTML = rb"!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--"
_SPACE = rb"[\t\n\f\r ]*"
_SIGNATURES = tuple(
    (regex(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (_SPACE + rb"(?i:<(?:" + _HTML + rb"))[ >]", "text/html"),
        (_SPACE + rb"<\?xml", "text/xml"),
        (rb"%PDF-", "application/pdf"),
        (rb"%!PS-Adobe-", "application/postscript"),
        (rb"(?:\xfe\xff|\xff\xfe)..|\xef\xbb\xbf.", "text/plain"),
        (rb"\0\0[\x01\x02]\0", "image/x-icon"),
        (rb"BM", "image/bmp"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"RIFF....WEBPVP", "image/webp"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"FORM....AIFF", "audio/aiff"),
        (rb"ID3", "audio/mpeg"),
        (rb"OggS\0", "application/ogg"),
        (rb"MThd\0\0\0\x06", "audio/midi"),
        (rb"RIFF....AVI ", "video/avi"),
        (rb"RIFF....WAVE", "audio/wave"),
        (rb"(?=....ftyp)", "video/mp4"),
        (rb"\x1a\x45\xdf\xa3", "video/webm"),
        (rb".{34}LP", "application/vnd.ms-fontobject"),
        (rb"\0\x01\0\0", "font/ttf"),
        (rb"OTTO", "font/otf"),
        (rb"ttcf", "font/collection"),
        (rb"wOFF", "font/woff"),
        (rb"wOF2", "font/woff2"),
        (rb"\x1f\x8b\x08", "application/x-gzip"),
        (rb"PK\x03\x04", "application/zip"),
        (rb"Rar!\x1a\x07(?:\0|\x01\0)", "application/x-rar-compressed"),
        (rb"\0asm", "application/wasm"),
        (_SPACE + rb"[^\0-\x08\x0b\x0e-\x1a\x1c-\x1f]*\Z", "text/plain"),
    )
)


def content_type(start: bytes) -> str:
    """Return the type of a file that starts with these bytes (all it has, or at least 512)."""
    data = start[:SNIFFED_BYTES]
    for pattern, kind in _SIGNATURES:
        if pattern.match(data) and (kind != "video/mp4" or _is_mp4(data)):
            return kind
    return "application/octet-stream"


def _is_mp4(data: bytes) -> bool:
    size = int.from_bytes(data[:4], "big")
    if len(data) < max(size, 12) or size % 4:
        return False
    return any(data[place : place + 3] == b"mp4" for place in range(8, size, 4) if place != 12)
