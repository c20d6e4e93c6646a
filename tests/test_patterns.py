"""Patterns that are compiled late are patterns."""

from __future__ import annotations

import re

from modelsmith.patterns import regex


def test_compiled_when_it_is_used() -> None:
    late = regex(r"(a+)b", re.IGNORECASE)
    assert "match" not in vars(late)
    found = late.match("AAb")
    assert found is not None
    assert found[1] == "AA"
    assert "match" in vars(late)
    assert late.sub("x", "ab ab") == "x x"
    assert late.pattern == r"(a+)b"
