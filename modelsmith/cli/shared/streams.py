"""Standard streams that can carry every character, whatever the locale says."""

from __future__ import annotations

import codecs
import sys
from io import TextIOWrapper


def prepare_streams() -> None:
    r"""Let output be UTF-8 where the locale names no encoding of its own, and escape what another one cannot carry.

    Escapes have the form that JSON has for them (``\uff5c``), so that JSON stays JSON.
    """
    codecs.register_error("modelsmith-escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, TextIOWrapper):
            continue  # closed, or replaced by whoever runs this
        name = codecs.lookup(stream.encoding).name
        if name == "ascii":
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
        elif name != "utf-8":
            stream.reconfigure(errors="modelsmith-escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4)), error.end
