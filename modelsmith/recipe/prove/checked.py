"""What came of checking a promise."""

from __future__ import annotations

from modelsmith.records import dataclass


@dataclass(frozen=True, slots=True)
class Checked:
    """One promise and whether it holds; ``detail`` says how many conversations prove it, or shows the first that does not."""

    promise: str
    holds: bool
    detail: str
