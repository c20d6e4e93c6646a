"""Texts that are paths, and what they are relative to."""

from __future__ import annotations

import re
from pathlib import Path

from modelsmith.patterns import regex

_PATH_ENDING = regex(r"[^:]*(\.(gguf|safetensors|modelfile)|(^|/)modelfile(\.[^/]*)?)", re.IGNORECASE)


def looks_like_path(text: str) -> bool:
    """Say whether a base is meant as a file: ``./x``, ``/x``, ``~/x``, or the usual ending or name of one."""
    return text.startswith((".", "/", "~")) or _PATH_ENDING.fullmatch(text) is not None


def anchored(text: str, folder: Path) -> str:
    """Return a path as an absolute one; relative ones start at ``folder``."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        path = Path(text)  # "~nobody" is not a home
    return str(path if path.is_absolute() else folder / path)
