"""The edits between two texts, line by line, so that an editor keeps cursors and marks where nothing changed."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import accumulate

from modelsmith.source import Edit, Span

_MOST_LINES = 3_000


def changes(before: str, after: str) -> tuple[Edit, ...]:
    """Return edits that make ``after`` of ``before``; none where they are the same."""
    if before == after:
        return ()
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if max(len(old), len(new)) > _MOST_LINES:
        return (_trimmed(before, after, 0),)
    starts = [0, *accumulate(map(len, old))]
    return tuple(
        _trimmed("".join(old[first:last]), "".join(new[low:high]), starts[first])
        for kind, first, last, low, high in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind != "equal"
    )


def _trimmed(before: str, after: str, start: int) -> Edit:
    """Return one edit, without what both texts begin and end with."""
    short = min(len(before), len(after))
    head = next((i for i in range(short) if before[i] != after[i]), short)
    tail = next((i for i in range(short - head) if before[-1 - i] != after[-1 - i]), short - head)
    return Edit(Span(start + head, start + len(before) - tail), after[head : len(after) - tail])
