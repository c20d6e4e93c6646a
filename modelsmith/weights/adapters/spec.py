"""How an adapter is named where several can be: its place, and its weight after an equals sign."""

from __future__ import annotations

import math
from pathlib import Path

from modelsmith.errors import UsageError


def weighted(text: str) -> tuple[str, float]:
    """Return the place and the weight of ``PLACE`` or ``PLACE=WEIGHT``; what exists as it is written has no weight in it."""
    place, separator, number = text.rpartition("=")
    if not separator or Path(text).expanduser().exists():
        return text, 1.0
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise UsageError(f'"{text}": {number!r} is no weight', hint="write ADAPTER=0.7")
    return place, weight
