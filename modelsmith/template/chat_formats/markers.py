"""Texts as rows of markers (``<…>``, ``[…]``) and what is between them, and how two of them differ.

llama.cpp compares bytes, so these texts hold one character a byte: see :func:`as_bytes` and :func:`as_text`.

Source: llama.cpp common/chat-auto-parser-helpers.cpp.
"""

from __future__ import annotations

from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.grammar import SPACES

MARKER = r"(?:<[^>]*>|\[[^\]]*\])"
"""The pattern of a marker."""

SPACE = rf"[{SPACES}]*+"
"""The pattern of white space that is not given back."""

_CLOSERS = {"<": ">", "[": "]"}
_OPENER = regex(r"[<\[]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker, or a text that is none."""

    text: str
    is_marker: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Two texts as what they share at both ends and what only the first (``left``) and the second (``right``) have."""

    prefix: str
    suffix: str
    left: str
    right: str


def as_bytes(text: str) -> str:
    """Return the text with one character for each of its bytes."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def as_text(data: str) -> str:
    """Return what :func:`as_bytes` was made of; halves of characters become lone surrogates."""
    return data.encode("latin-1").decode("utf-8", "surrogateescape")


def trimmed(text: str) -> str:
    """Return the text without white space at its ends."""
    return text.strip(SPACES)


def segments(text: str) -> list[Segment]:
    """Cut a text into markers and what is between them; a marker that does not end is no marker."""
    found: list[Segment] = []
    border = 0
    while match := _OPENER.search(text, border):
        start = match.start()
        stop = text.find(_CLOSERS[match[0]], start + 1)
        if border < start:
            found.append(Segment(text[border:start], is_marker=False))
        border = start
        if stop < 0:
            break
        found.append(Segment(text[start : stop + 1], is_marker=True))
        border = stop + 1
    if border < len(text):
        found.append(Segment(text[border:], is_marker=False))
    return found


def dense_segments(text: str) -> list[Segment]:
    """Cut a text into its segments, without those that are white space."""
    return [segment for segment in segments(text) if trimmed(segment.text)]


def difference(left: str, right: str) -> Difference:
    """Return how two texts differ; markers are not cut in two, other texts are."""
    lefts, rights = segments(left), segments(right)
    if not lefts or not rights:
        return Difference("", "", left, right)
    found = _parts(lefts, rights)
    if not found.left and not found.right:
        found = Difference(left, "", "", "")
    if not found.left and found.right and right.startswith(left):
        return Difference(left, "", "", right[len(left) :])
    return found


def shared_start(left: str, right: str) -> int:
    """Return how many characters two texts share at their beginning."""
    shared, longest = 0, min(len(left), len(right))
    while shared < longest:
        middle = (shared + longest + 1) // 2
        if left[shared:middle] == right[shared:middle]:
            shared = middle
        else:
            longest = middle - 1
    return shared


def shared_end(left: str, right: str) -> int:
    """Return how many characters two texts share at their end."""
    return shared_start(left[::-1], right[::-1])


def _parts(lefts: list[Segment], rights: list[Segment]) -> Difference:
    """Take equal segments off both ends by turns, then what the texts at the borders share."""
    start_texts: list[str] = []
    end_texts: list[str] = []  # from the end on
    (start, stop), (other_start, other_stop) = (0, len(lefts) - 1), (0, len(rights) - 1)
    left_done = right_done = False

    while start != stop and other_start != other_stop:
        advanced = False
        if lefts[start] == rights[other_start]:
            start_texts.append(lefts[start].text)
            start, other_start = start + 1, other_start + 1
            advanced = True
        if lefts[stop] == rights[other_stop]:
            end_texts.append(lefts[stop].text)
            if start != stop:
                stop -= 1
            else:
                left_done = True
            if other_start != other_stop:
                other_stop -= 1
            else:
                right_done = True
            advanced = True
        if not advanced:
            break

    prefix, suffix = "".join(start_texts), "".join(reversed(end_texts))
    if start == stop and other_start != other_stop:
        if lefts[start] == rights[other_stop]:
            suffix = rights[other_stop].text + suffix
            other_stop -= 1
            left_done = True
        elif lefts[start] == rights[other_start]:
            prefix += rights[other_start].text
            other_start += 1
            left_done = True
    elif other_start == other_stop and start != stop:
        if lefts[stop] == rights[other_start]:
            suffix = lefts[stop].text + suffix
            stop -= 1
            right_done = True
        elif lefts[start] == rights[other_start]:
            prefix += lefts[start].text
            start += 1
            right_done = True
    elif start == stop and other_start == other_stop and lefts[start] == rights[other_start] and lefts[start].is_marker:
        prefix += rights[other_start].text
        left_done = right_done = True

    ends_in_text = not lefts[stop].is_marker and not rights[other_stop].is_marker
    begins_in_text = not lefts[start].is_marker and not rights[other_start].is_marker
    left = "".join(segment.text for segment in lefts[start : stop + (not left_done)])
    right = "".join(segment.text for segment in rights[other_start : other_stop + (not right_done)])
    tail = shared_end(left, right) if ends_in_text else 0
    head = shared_start(left[: len(left) - tail], right[: len(right) - tail]) if begins_in_text else 0
    return Difference(
        prefix + left[:head],
        left[len(left) - tail :] + suffix,
        left[head : len(left) - tail],
        right[head : len(right) - tail],
    )
