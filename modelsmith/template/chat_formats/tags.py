"""Where a chat template puts reasoning and the answer, found by rendering conversations that differ in one thing.

Source: llama.cpp common/chat-diff-analyzer.cpp (analyze_reasoning, analyze_content).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.markers import (
    MARKER,
    SPACE,
    Segment,
    dense_segments,
    trimmed,
)
from modelsmith.template.chat_formats.probes import (
    ANSWER,
    FIRST_ARGUMENT,
    FIRST_FUNCTION,
    QUESTION,
    SECOND_ARGUMENT,
    THOUGHT,
    Probe,
    answer,
    answered,
    call,
    compare_probes,
)

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.probes import Comparison, Renders

_ANCHOR = 64
"""How many bytes of one prompt's end are looked for in the other."""

_WRAPPED = regex(rf"(?P<pre>{MARKER}{SPACE}){re.escape(THOUGHT)}(?P<post>{SPACE}{MARKER}{SPACE})")
_ENDED = regex(rf"{re.escape(THOUGHT)}{SPACE}(?P<post>{MARKER}{SPACE})?")
_WRAPPED_IN_CALLS = re.compile(rf"(?P<pre>{MARKER}{SPACE}){re.escape(THOUGHT)}{SPACE}(?P<post>{MARKER}{SPACE})")
_WRAPPED_ANSWER = re.compile(rf"(?P<pre>{MARKER}{SPACE}){re.escape(ANSWER)}{SPACE}(?P<post>{MARKER}{SPACE})")


@dataclass(frozen=True, slots=True)
class ReasoningTags:
    """The tags around reasoning, with the white space they come with (one character a byte).

    ``found`` is False where there is no reasoning; ``with_calls_only`` says that the template prints it beside calls and
    not beside answers. The opening is empty where only the end is marked. ``shown`` is False for tags that llama.cpp knows
    although no prompt shows them.
    """

    found: bool = False
    opening: str = ""
    closing: str = ""
    with_calls_only: bool = False
    shown: bool = True


@dataclass(frozen=True, slots=True)
class AnswerTags:
    """The tags that every answer stands between, where ``wrapped``; else both may be set and mean nothing."""

    wrapped: bool = False
    opening: str = ""
    closing: str = ""


def find_reasoning(renders: Renders, *, calls: bool) -> ReasoningTags:
    """Return how a template marks reasoning; ``calls`` says that it prints calls."""
    tags = _printed(compare_probes(renders, answered(answer(ANSWER)), answered(answer(ANSWER, thought=THOUGHT))))
    off, on = (Probe((QUESTION,), add_generation_prompt=True, enable_thinking=thinks) for thinks in (False, True))
    tags = _switched(tags, compare_probes(renders, off, on))
    return _beside_calls(tags, renders) if calls else tags


def find_answer(renders: Renders, reasoning: ReasoningTags) -> AnswerTags:
    """Return what a template puts around every answer."""
    plain = answered(answer(ANSWER), tools=True)
    calling = answered(answer("", calls=[call("test_func", {"arg1": "value1"})]), tools=True)
    thinking = answered(answer("", thought=THOUGHT), tools=True)
    beside_calls, beside_reasoning = compare_probes(renders, plain, calling), compare_probes(renders, plain, thinking)
    if beside_calls is None or beside_reasoning is None:
        return AnswerTags()
    with_calls, shown = beside_calls.difference.left, beside_reasoning.difference.left
    if trimmed(with_calls) == ANSWER and (shown == shown.lstrip(" \t\n\v\f\r") or _follows(shown, reasoning)):
        return AnswerTags()
    if reasoning.closing and reasoning.closing in shown:
        shown = shown.partition(reasoning.closing)[2]
    match = _WRAPPED_ANSWER.search(max(with_calls, shown, key=len))
    return AnswerTags(True, match["pre"], match["post"]) if match else AnswerTags()


def _printed(comparison: Comparison | None) -> ReasoningTags:
    """Look for the marks around the thought of an answer before."""
    if comparison is None or THOUGHT not in comparison.difference.right:
        return ReasoningTags()
    match = _WRAPPED.search(comparison.second)
    if match is not None:
        return ReasoningTags(True, match["pre"], match["post"])
    match = _ENDED.search(comparison.second)
    closing = (match["post"] or "") if match else ""
    return ReasoningTags(bool(closing), "", closing)


def _switched(tags: ReasoningTags, comparison: Comparison | None) -> ReasoningTags:
    """Look for the marks that appear at the prompt's end when thinking is turned on or off."""
    if comparison is None:
        return tags
    left, right = comparison.difference.left, comparison.difference.right
    if not trimmed(left) and right:
        if trimmed(right) and comparison.second.endswith(trimmed(right)) and not tags.opening:
            return ReasoningTags(True, right, tags.closing)
    elif not trimmed(right) and left:
        if trimmed(left) and comparison.first.endswith(trimmed(left)) and not tags.closing:
            return ReasoningTags(True, _before_end(comparison.first, trimmed(left)) or tags.opening, left)
    elif trimmed(left) and trimmed(right):
        pair = _appended(comparison.second, comparison.first) or _appended(comparison.first, comparison.second)
        if pair:
            return ReasoningTags(True, tags.opening or pair[0].text, tags.closing or pair[1].text)
    return ReasoningTags(tags.found or bool(tags.closing and not tags.opening), tags.opening, tags.closing)


def _before_end(prompt: str, closing: str) -> str:
    """Return the marker that stands right before the closing one at a prompt's end; empty where none does."""
    found = dense_segments(prompt)
    stands = len(found) >= 2 and found[-1].text == closing and found[-2].is_marker
    return found[-2].text if stands else ""


def _appended(base: str, extended: str) -> tuple[Segment, Segment] | None:
    """Return the two markers that one prompt has after what the other ends with; None where it has anything else."""
    anchor = base[-_ANCHOR:]
    place = extended.rfind(anchor)
    if place < 0:
        return None
    found = dense_segments(trimmed(extended[place + len(anchor) :]))
    return (found[0], found[1]) if len(found) == 2 and all(segment.is_marker for segment in found) else None


def _beside_calls(tags: ReasoningTags, renders: Renders) -> ReasoningTags:
    """Look whether reasoning is printed only where the assistant also calls a function."""
    calling = call(FIRST_FUNCTION, {FIRST_ARGUMENT: "VVVV", SECOND_ARGUMENT: "XXXX"})
    comparison = compare_probes(
        renders,
        answered(answer(ANSWER, thought=THOUGHT), tools=True),
        answered(answer(None, thought=THOUGHT, calls=[calling]), tools=True),
    )
    if comparison is None or THOUGHT in comparison.first or THOUGHT not in comparison.second:
        return tags
    match = _WRAPPED_IN_CALLS.search(comparison.second)
    if match is not None:
        return ReasoningTags(True, match["pre"], match["post"], with_calls_only=True)
    match = _ENDED.search(comparison.second)
    closing = (match["post"] or "") if match else ""
    return ReasoningTags(True, tags.opening, closing, with_calls_only=True)


def _follows(shown: str, reasoning: ReasoningTags) -> bool:
    """Say whether an answer stands right after the end of reasoning."""
    if not reasoning.found or not reasoning.closing:
        return False
    return re.search(rf"{re.escape(reasoning.closing)}{SPACE}{re.escape(ANSWER)}", shown) is not None
