"""Regular expressions of others that cannot take long: RE2 where it is installed, else only such as are quick.

Python's own engine tries every way to match: ``([a-z]+)+X`` needs years for some texts. RE2 (``pip install google-re2``) needs a
time that grows with the length of the text only. Without it an expression is refused in which what is repeated can itself match
in several ways, or that has many repetitions.

Source: https://github.com/google/re2/wiki/Syntax (what RE2 does not have: references back, looking ahead or behind).
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

MAX_PATTERN = 512
INSTALL = "or install google-re2, which takes all of them: pip install google-re2"

MOST_STEPS = 100_000_000
"""Python's engine takes them in some seconds."""

_COUNTED = 64
_QUANTIFIERS = {"?", "*", "+"}
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^:]|\(\?:|[()|*+?]|\{\d+(?:,\d*)?\}|\{,\d+\}|.", re.DOTALL)
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")


def in_linear_time(text: str) -> Any:
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


def why_slow(text: str, *, longest: int, repeats: int) -> str:
    """Return why matching a text of ``longest`` characters may take too long, "" where it cannot.

    ``repeats`` is how many repetitions there may be.
    """
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
        elif (most := _most(part, longest)) is not None:
            if most > _COUNTED and not part.startswith(("*", "+")) and not part.endswith(",}"):
                return f"it counts up to {most}"
            if most > 1 and closed:
                return "what is repeated can itself match in several ways"
            repetitions += most > 1
            several[-1] = True
        closed = False
    return f"it has {repetitions} repetitions, more than {repeats}" if repetitions > repeats else ""


def longest_in_time(text: str, repetitions: int) -> int:
    """Return how long a text may be, so that no more than ``MOST_STEPS`` are taken to look for the expression in it.

    Each place of the text is a start, each repetition can end at each place behind it, and all that is left to choose is chosen in
    every way.
    """
    return int((MOST_STEPS / _ways(text)) ** (1 / (1 + repetitions)))


def repetitions_in(text: str, longest: int) -> int:
    """Return how many parts of an expression can stand there many times."""
    return sum((_most(part, longest) or 0) > 1 for part in _PART.findall(text))


def _ways(text: str) -> int:
    """Return in how many ways an expression can match where it stands once, its repetitions aside."""
    groups = [[0, 1]]  # of each open group: the ways of the branches so far, and of this one
    before = ""
    for part in _PART.findall(text):
        if part.startswith("("):
            groups.append([0, 1])
        elif part.startswith(")") and len(groups) > 1:
            ways = sum(groups.pop())
            groups[-1][1] *= ways
        elif part.startswith("|"):
            groups[-1] = [sum(groups[-1]), 1]
        elif part == "?" and before not in _QUANTIFIERS and not before.endswith("}"):
            groups[-1][1] *= 2
        before = part
    ways = 1
    for group in groups:
        ways *= sum(group)
    return ways


def _most(part: str, longest: int) -> int | None:
    """Return how often what is before a part may stand there at most; None for a part that says nothing of it."""
    if part in {"?", "*", "+"}:
        return 1 if part.startswith("?") else longest
    count = _COUNT.fullmatch(part)
    if count is None or not (count[1] or count[3]):
        return None
    least, most = int(count[1][:9] or 0), int(count[3][:9] or 0)
    return max(least, most) if count[3] or not count[2] else max(least, longest)
