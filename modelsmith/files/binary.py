"""Tell text from what is none, so that nothing that edits text ever touches weights or any other binary file."""

from __future__ import annotations

import codecs

BINARY_ENDINGS = (".gguf", ".safetensors")
"""Names of files that are never text, whatever they hold."""

PACKED, PICKLE, OLD_WEIGHTS, OTHER = "packed", "pickle", "old weights", "other"
"""Kinds of binary files: what holds other files, what can run programs when it is opened, what was before GGUF, the rest."""

_MAGICS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GGUF", "a GGUF", OTHER),
    (0, b"\x1f\x8b", "gzip-compressed", PACKED),
    (0, b"PK\x03\x04", "a zip archive (or a PyTorch checkpoint)", PACKED),
    (0, b"PK\x05\x06", "an empty zip archive", PACKED),
    (0, b"\x28\xb5\x2f\xfd", "zstd-compressed", PACKED),
    (0, b"\xfd7zXZ\0", "xz-compressed", PACKED),
    (0, b"\x04\x22\x4d\x18", "lz4-compressed", PACKED),
    (4, b"1AY&SY", "bzip2-compressed", PACKED),
    (0, b"LZIP\x01", "lzip-compressed", PACKED),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", PACKED),
    (0, b"Rar!\x1a\x07", "a RAR archive", PACKED),
    (0, b"!<arch>\n", "an archive of ar", PACKED),
    (257, b"ustar", "a tar archive", PACKED),
    (0, b"\x80\x02", "a Python pickle (a PyTorch checkpoint)", PICKLE),
    (0, b"\x80\x03", "a Python pickle", PICKLE),
    (0, b"\x80\x04\x95", "a Python pickle", PICKLE),
    (0, b"\x80\x05\x95", "a Python pickle", PICKLE),
    (0, b"lmgg", "a GGML file", OLD_WEIGHTS),
    (0, b"fmgg", "a GGMF file", OLD_WEIGHTS),
    (0, b"tjgg", "a GGJT file", OLD_WEIGHTS),
    (0, b"algg", "a GGLA adapter", OLD_WEIGHTS),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", OTHER),
    (0, b"\xff\xd8\xff", "a JPEG picture", OTHER),
    (0, b"GIF87a", "a GIF picture", OTHER),
    (0, b"GIF89a", "a GIF picture", OTHER),
    (8, b"WEBPVP8", "a WebP picture", OTHER),
    (0, b"II*\0", "a TIFF picture", OTHER),
    (0, b"MM\0*", "a TIFF picture", OTHER),
    (0, b"%PDF-", "a PDF", OTHER),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", OTHER),
    (0, b"SQLite format 3\0", "an SQLite database", OTHER),
    (0, b"\x93NUMPY", "a NumPy array", OTHER),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", OTHER),
    (0, b"\x7fELF", "a program (ELF)", OTHER),
    (0, b"\xcf\xfa\xed\xfe", "a program (Mach-O)", OTHER),
    (0, b"\xca\xfe\xba\xbe", "a program (Mach-O or Java)", OTHER),
    (0, b"\0asm", "a program (WebAssembly)", OTHER),
    (0, b"bplist00", "a property list (binary)", OTHER),
    (0, b"OggS\0", "a sound or a film (Ogg)", OTHER),
    (0, b"Salted__", "encrypted (openssl enc)", OTHER),
)
# Where its bytes stand, the bytes, what the file is, its kind. Source: the database of file(1) (compress, archive, images,
# sql, elf, pdf ...); of the formats that always have a NUL those that people have beside models.

_NEVER_TYPED = bytes({*range(1, 7), 11, *range(14, 26), *range(28, 32), 127})
# Source: file(1), encoding.c (``text_chars``), without Ctrl-Z, at which texts of DOS end. One of them may have slipped into a
# text; together with bytes that are no UTF-8 it is data without a known beginning.

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 1 << 16  # bytes by which UTF-16 without a mark is told
_MOSTLY = 0.6


def is_binary_name(name: str) -> bool:
    """Say whether a file of this name is never text."""
    return name.casefold().endswith(BINARY_ENDINGS)


def binary_reason(data: bytes) -> str:
    """Return why bytes are no text, "" where they may be.

    No text are the known binary formats, and what has a NUL (except as half of a character in UTF-16) or both bytes that are
    no UTF-8 and control characters that nobody types.
    """
    if known := known_binary(data):
        return f"it is {known[0]}"
    if _is_utf16(data):
        return ""
    if (place := data.find(b"\0")) >= 0:
        return f"byte {place + 1:,} is NUL"
    if len(data.translate(None, _NEVER_TYPED)) < len(data) and (reason := undecodable(data)):
        place = next(place for place, byte in enumerate(data) if byte in _NEVER_TYPED)
        return f"{reason}, and byte {place + 1:,} (0x{data[place]:02X}) is a control character"
    return ""


def known_binary(data: bytes) -> tuple[str, str] | None:
    """Return what a file is that starts with these bytes (264 are enough) and its kind, None where its format is not known."""
    return next((row[2:] for row in _MAGICS if data.startswith(row[1], row[0])), None)


def is_binary_text(text: str) -> bool:
    """Say whether a text is a binary file that an editor has decoded, with U+FFFD where it could not."""
    return "\0" in text or bool(binary_reason(text.encode("utf-8", "surrogatepass").replace(b"\xef\xbf\xbd", b"\xff")))


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
