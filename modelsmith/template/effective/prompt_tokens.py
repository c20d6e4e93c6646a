"""A prompt cut into pieces that a person sees as one, and the smallest difference between two prompts.

The pieces are words, markers as chat templates write them (``<|user|>``, ``<｜User｜>``, ``[INST]``, ``<think>``), line
breaks, runs of blanks, and single other characters. They are not a model's tokens: those depend on its vocabulary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PromptPieceKind = Literal["special", "word", "break", "blank", "other"]
Change = Literal["same", "removed", "added"]

MOST_EDITS = 400
"""Where two prompts differ by more pieces than this, what differs is shown as one block."""

_PIECE = re.compile(
    r"""(?P<special> <\|[^|<>\n]{1,80}\|> | <｜[^｜<>\n]{1,80}｜> | \[/?[A-Z][A-Z_]{2,39}\] | <</?[A-Z]{2,20}>>
                   | </?[A-Za-z_][A-Za-z0-9_.:-]{0,60}> )
      | (?P<word> \w+ )
      | (?P<break> \r?\n )
      | (?P<blank> [^\S\n]+ )
      | (?P<other> . )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class PromptPiece:
    """A stretch of a prompt; in a difference ``change`` says on which side it stands."""

    text: str
    kind: PromptPieceKind
    change: Change = "same"


def pieces(prompt: str) -> tuple[PromptPiece, ...]:
    """Cut a prompt; the texts of the pieces joined are the prompt."""
    return tuple(_pieces(prompt, "same"))


def _pieces(prompt: str, change: Change) -> Iterator[PromptPiece]:
    for match in _PIECE.finditer(prompt):
        yield PromptPiece(match.group(), match.lastgroup, change)  # type: ignore[arg-type]  # the groups are the kinds


@lru_cache(maxsize=256)
def difference(before: str, after: str) -> tuple[PromptPiece, ...]:
    """Return both prompts as one list of pieces: without the added ones it is ``before``, without the removed ones ``after``.

    It is the shortest such list (Myers 1986), but for blanks between two changes, which count as changed too, and for prompts
    that have little in common (see MOST_EDITS).
    """
    old, new = [piece.text for piece in pieces(before)], [piece.text for piece in pieces(after)]
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle = _script(old[start : len(old) - end], new[start : len(new) - end])
    texts = [("same", text) for text in old[:start]] + middle + [("same", text) for text in old[len(old) - end :]]
    return tuple(piece for change, text in _tidied(texts) for piece in _pieces(text, change))


def window(before: str, after: str, longest: int) -> tuple[int, str, str]:
    """Return the part of two long prompts in which they part, at most ``longest`` characters, and at which offset it starts."""
    if max(len(before), len(after)) <= longest:
        return 0, before, after
    start = 0 if before == after else max(0, _common(before, after) - longest // 10)
    return start, before[start : start + longest], after[start : start + longest]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    length = 0
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        length += 1
    return length


def _script(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Return the shortest edit script; all of both where it would be too long."""
    old_length, new_length = len(old), len(new)
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(old_length + new_length, MOST_EDITS) + 1):
        trace.append(furthest.copy())
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < old_length and y < new_length and old[x] == new[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= old_length and y >= new_length:
                return _walked_back(trace, old, new)
    return [("removed", text) for text in old] + [("added", text) for text in new]


def _walked_back(trace: list[dict[int, int]], old: list[str], new: list[str]) -> list[tuple[str, str]]:
    script: list[tuple[str, str]] = []
    x, y = len(old), len(new)
    for edits in range(len(trace) - 1, -1, -1):
        furthest, diagonal = trace[edits], x - y
        down = diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        start = furthest[before] if edits else 0
        while x > max(start, 0) and y > max(start - before, 0):
            x, y = x - 1, y - 1
            script.append(("same", old[x]))
        if edits:
            script.append(("added", new[y - 1]) if down else ("removed", old[x - 1]))
            x, y = start, start - before
    return script[::-1]


def _tidied(script: list[tuple[str, str]]) -> Iterator[tuple[Change, str]]:
    """Join what belongs together: removed before added, and blanks between two changes are changed with them."""
    runs = [(same, [*group]) for same, group in groupby(script, key=lambda pair: pair[0] == "same")]
    removed = added = ""
    for number, (same, group) in enumerate(runs):
        text = "".join(text for _, text in group)
        if not same:
            removed += "".join(text for change, text in group if change == "removed")
            added += "".join(text for change, text in group if change == "added")
            continue
        if removed and added and number + 1 < len(runs) and text.isspace() and "\n" not in text:
            removed, added = removed + text, added + text
            continue
        yield from _changed(removed, added)
        removed = added = ""
        yield "same", text
    yield from _changed(removed, added)


def _changed(removed: str, added: str) -> Iterator[tuple[Change, str]]:
    if removed:
        yield "removed", removed
    if added:
        yield "added", added
