"""What no chat template needs, and those that want to run foreign code do.

Source: CVE-2024-34359, CVE-2026-5760 (programs that render without a sandbox).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.patterns import regex

if TYPE_CHECKING:
    import re

_WALK = regex(r"\.\s*__\w+__|\[\s*['\"]__\w+__['\"]\s*\]|\|\s*attr\s*\(|\bimport\s*\(|\bos\s*\.\s*(?:system|popen)")
_RANGE = regex(r"range\s*\(\s*\d{7,}|\*\*\s*\d{3,}")


def hostile_part(text: str) -> re.Match[str] | None:
    """Return the first walk to Python's insides in a Jinja template, else the first huge loop; None where there is none."""
    return _WALK.search(text) or _RANGE.search(text)
