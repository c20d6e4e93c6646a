"""Regular expressions of users that cannot take long: matched by RE2 where it is installed, else only such as are quick.

Python's own engine tries every way to match: ``([a-z]+)+X`` needs years for some names. RE2 (``pip install google-re2``)
needs a time that grows with the length of the name only. Without it an expression is refused in which what is repeated
can itself match in several ways, or that has many repetitions.

Source: https://github.com/google/re2/wiki/Syntax (what RE2 does not have: references back, looking ahead or behind).
"""

from __future__ import annotations

import re
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from modelsmith.errors import UsageError

MAX_PATTERN = 512
MAX_NAME = 63
"""Longer names match nothing: llama.cpp does not load such tensors (GGML_MAX_NAME)."""

_REPEATS = 3
_SECONDS = 10.0
_COUNTED = 64
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^:]|\(\?:|[()|*+?]|\{\d+(?:,\d*)?\}|\{,\d+\}|.", re.DOTALL)
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_INSTALL = "or install google-re2, which takes all of them: pip install google-re2"


class TensorPattern:
    """A regular expression that is looked for in names of tensors."""

    __slots__ = ("_left", "_search", "text")

    def __init__(self, text: str) -> None:
        """Read an expression; raises UsageError for one that is none, is too long, or may take too long."""
        self.text = text
        self._left = _SECONDS
        if len(text) > MAX_PATTERN:
            raise UsageError(
                f"a regular expression of {len(text):,} characters is too long", hint=f"at most {MAX_PATTERN}"
            )
        self._search: Any = _in_linear_time(text)
        if self._search is not None:
            return
        if reason := why_slow(text):
            raise UsageError(
                f'the regular expression "{text}" may take too long: {reason}',
                hint=rf"write it with fewer repetitions, such as blk\.\d+\.ffn_.*; {_INSTALL}",
            )
        try:
            self._search = re.compile(text).search
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f'"{text}" is no regular expression: {error}', hint="quote it for the shell") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorPattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def found_in(self, name: str) -> bool:
        """Say whether a name holds a match; raises UsageError once all names together took too long."""
        if len(name) > MAX_NAME:
            return False
        started = time.monotonic()
        found = self._search(name) is not None
        self._left -= time.monotonic() - started
        if self._left < 0:
            raise UsageError(
                f'the regular expression "{self.text}" took more than {_SECONDS:g} seconds',
                hint=f"simplify it, {_INSTALL}",
            )
        return found


def _in_linear_time(text: str) -> Any:
    """Return RE2's search; None where it is not installed or does not read the expression."""
    if find_spec("re2") is None:
        return None
    re2: Any = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options=options).search
    except re2.error:
        return None


def why_slow(text: str) -> str:
    """Return why matching may take a time that explodes with the length of a name, "" where it cannot."""
    repetitions = 0
    several = [False]  # of each open group: whether something in it can match in several ways
    closed = False  # the same of the group that ended just before
    for part in _PART.findall(text):
        if part.startswith("(?") and part != "(?:":
            return f"{part} begins no plain group"
        if re.fullmatch(r"\\[1-9]", part):
            return f"{part} refers back to a group"
        if part.startswith("("):
            several.append(False)
        elif part.startswith(")") and len(several) > 1:
            closed = several.pop()
            several[-1] = several[-1] or closed
            continue
        elif part.startswith("|"):
            several[-1] = True
        elif (most := _most(part)) is not None:
            if most > _COUNTED and not part.startswith(("*", "+")) and not part.endswith(",}"):
                return f"it counts up to {most}"
            if most > 1 and closed:
                return "what is repeated can itself match in several ways"
            repetitions += most > 1
            several[-1] = True
        closed = False
    return f"it has {repetitions} repetitions, more than {_REPEATS}" if repetitions > _REPEATS else ""


def _most(part: str) -> int | None:
    """Return how often what is before a part may stand there at most; None for a part that says nothing of it."""
    if part in {"?", "*", "+"}:
        return 1 if part.startswith("?") else MAX_NAME
    count = _COUNT.fullmatch(part)
    if count is None or not (count[1] or count[3]):
        return None
    least, most = int(count[1][:9] or 0), int(count[3][:9] or 0)
    return max(least, most) if count[3] or not count[2] else max(least, MAX_NAME)
