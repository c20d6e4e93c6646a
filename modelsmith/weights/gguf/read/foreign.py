"""What a file is that was taken for a GGUF, told by its first bytes, and how to get the right one."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelsmith.patterns import regex

_AGAIN = "fetch the file again"
_UNPACK = "unpack it and name the .gguf inside"
_PICKLE = (
    "it could run programs and is never opened: save the model as Safetensors where you trust it (save_pretrained)"
)
_CONVERT = "name the folder that it is in: modelsmith import FOLDER -o model.gguf"
_OLD = "it is older than GGUF (August 2023): get the model in GGUF, or convert it again from its source"


class Foreign(NamedTuple):
    """What the file is, and the way out."""

    what: str
    hint: str


_PREFIXES: tuple[tuple[bytes, Foreign], ...] = (
    (
        b"version https://git-lfs",
        Foreign("a git-lfs pointer, not the file itself", "run `git lfs pull` in its repository"),
    ),
    (b"\x1f\x8b", Foreign("gzip-compressed", _UNPACK)),
    (b"PK\x03\x04", Foreign("a zip archive (or a PyTorch checkpoint)", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Foreign("zstd-compressed", _UNPACK)),
    (b"\xfd7zXZ\0", Foreign("xz-compressed", _UNPACK)),
    (b"BZh", Foreign("bzip2-compressed", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7-Zip archive", _UNPACK)),
    (b"\x80\x02", Foreign("a Python pickle (a PyTorch checkpoint)", _PICKLE)),
    (b"lmgg", Foreign("a GGML file", _OLD)),
    (b"fmgg", Foreign("a GGMF file", _OLD)),
    (b"tjgg", Foreign("a GGJT file", _OLD)),
    (b"algg", Foreign("a GGLA adapter", _OLD)),
)
_HTML = regex(rb"\s*<(!doctype html|html|head|\?xml)", re.IGNORECASE)
_SAFETENSORS_HEADER_LIMIT = 100 << 20
_TAR_MAGIC = slice(257, 262)


def identify(head: bytes, size: int) -> Foreign:
    """Say what a file of ``size`` bytes is that begins with ``head`` (512 bytes are enough) and not with ``GGUF``."""
    if size == 0:
        return Foreign("empty", f"the download or the disk failed; {_AGAIN}")
    for prefix, foreign in _PREFIXES:
        if head.startswith(prefix):
            return foreign
    if _HTML.match(head):
        return Foreign(
            "a web page, not the file itself",
            'use the link for downloading (on Hugging Face "/resolve/", not "/blob/")',
        )
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= min(size - 8, _SAFETENSORS_HEADER_LIMIT):
        return Foreign("a Safetensors file", _CONVERT)
    if head[_TAR_MAGIC] == b"ustar":
        return Foreign("a tar archive", _UNPACK)
    if head.lstrip()[:1] in {b"{", b"["}:
        return Foreign("JSON text", "it may be a server's error message; look into it and fetch the file again")
    if not head.strip(b"\0"):
        return Foreign("filled with zeros at its beginning", f"the download is unfinished; {_AGAIN}")
    return Foreign('not in GGUF format (it does not begin with "GGUF")', "name a .gguf file")
