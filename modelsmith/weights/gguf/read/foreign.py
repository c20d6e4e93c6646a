"""What a file is that was taken for a GGUF, told by its first bytes, and how to get the right one."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelsmith.files.binary import OLD_WEIGHTS, PACKED, PICKLE, known_binary
from modelsmith.patterns import regex

_AGAIN = "fetch the file again"
_UNPACK = "unpack it and name the .gguf inside"
_PICKLE = (
    "it could run programs and is never opened: save the model as Safetensors where you trust it (save_pretrained)"
)
_CONVERT = "name the folder that it is in: modelsmith import FOLDER -o model.gguf"
_NO_GGUF = "name a .gguf file"
_OLD = "it is older than GGUF (August 2023): get the model in GGUF, or convert it again from its source"


class Foreign(NamedTuple):
    """What the file is, and the way out."""

    what: str
    hint: str


_LFS = b"version https://git-lfs"
_HTML = regex(rb"\s*<(!doctype html|html|head|\?xml)", re.IGNORECASE)
_SAFETENSORS_HEADER_LIMIT = 100 << 20
_HINTS = {PACKED: _UNPACK, PICKLE: _PICKLE, OLD_WEIGHTS: _OLD}


def identify(head: bytes, size: int) -> Foreign:
    """Say what a file of ``size`` bytes is that begins with ``head`` (512 bytes are enough) and not with ``GGUF``."""
    if size == 0:
        return Foreign("empty", f"the download or the disk failed; {_AGAIN}")
    if head.startswith(_LFS):
        return Foreign("a git-lfs pointer, not the file itself", "run `git lfs pull` in its repository")
    if known := known_binary(head):
        what, kind = known
        return Foreign(what, _HINTS.get(kind, _NO_GGUF))
    if _HTML.match(head):
        return Foreign(
            "a web page, not the file itself",
            'use the link for downloading (on Hugging Face "/resolve/", not "/blob/")',
        )
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= min(size - 8, _SAFETENSORS_HEADER_LIMIT):
        return Foreign("a Safetensors file", _CONVERT)
    if head.lstrip()[:1] in {b"{", b"["}:
        return Foreign("JSON text", "it may be a server's error message; look into it and fetch the file again")
    if not head.strip(b"\0"):
        return Foreign("filled with zeros at its beginning", f"the download is unfinished; {_AGAIN}")
    return Foreign('not in GGUF format (it does not begin with "GGUF")', _NO_GGUF)
