"""How llama-server finds out where a chat template puts reasoning.

It renders a few tiny conversations that differ in one thing (reasoning or none, thinking on or off) and looks at what
differs. The tags it finds are what it later splits answers by, and whether it finds any decides if thinking is on where a
request does not say.

Source: llama.cpp common/chat-diff-analyzer.cpp (analyze_reasoning, workarounds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_THOUGHT = "what was thought about it"
_MARKER = r"(?:<[^<>]*>|\[[^\[\]]*\])"
_WRAPPED = re.compile(rf"(?P<open>{_MARKER}\s*){_THOUGHT}(?P<close>\s*{_MARKER}\s*)")
_ENDED = re.compile(rf"{_THOUGHT}(?P<close>\s*{_MARKER}\s*)")
_QUESTION: dict[str, Any] = {"role": "user", "content": "a question"}
_ANSWER: dict[str, Any] = {"role": "assistant", "content": "an answer"}
_GRANITE = "Write your thoughts between <think></think> and write your response between <response></response>"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The tags around reasoning, with the white space they come with; ``found`` is False where there is no reasoning."""

    found: bool = False
    opening: str = ""
    closing: str = ""


def find_reasoning(text: str, render: Callable[[Sequence[dict[str, Any]], bool, bool], str | None]) -> Reasoning:
    """Look for reasoning in a template; ``render`` gets messages, thinking on, prompt for an answer; None is a failure."""
    opening, closing = _around_reasoning(render)
    found = bool(closing)
    off, on = render([_QUESTION], False, True), render([_QUESTION], True, True)
    if off is not None and on is not None:
        left, right = differences(off, on)
        if not opening and not left.strip() and right.strip() and on.endswith(right.strip()):
            opening, found = right.strip(), True
        elif not opening and closing:
            marked = re.search(rf"({_MARKER})\s*{re.escape(closing.strip())}", off)
            opening = marked[1] if marked else ""
    if not found and "content.split('</think>')" in text and "reasoning_content" not in text:
        return Reasoning(True, "<think>", "</think>")
    if _GRANITE in text:
        return Reasoning(True, "<think>", "</think>")
    return Reasoning(found, opening, closing)


def differences(left: str, right: str) -> tuple[str, str]:
    """Return what differs between two texts, no marker cut in two."""
    start = shared_start(left, right)
    head = left[:start]
    if head.rfind("<") > head.rfind(">"):
        start = head.rfind("<")
    left, right = left[start:], right[start:]
    tail = left[len(left) - shared_start(left[::-1], right[::-1]) :]
    opened, closed = tail.find("<"), tail.find(">")
    if closed >= 0 and (opened < 0 or closed < opened):
        tail = tail[closed + 1 :]
    return left.removesuffix(tail), right.removesuffix(tail)


def shared_start(left: str, right: str) -> int:
    """Return how many characters two texts share at their beginning."""
    pairs = zip(left, right, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(left), len(right)))


def _around_reasoning(render: Callable[[Sequence[dict[str, Any]], bool, bool], str | None]) -> tuple[str, str]:
    shown = render([_QUESTION, {**_ANSWER, "reasoning_content": _THOUGHT}], True, False)
    if shown is None or render([_QUESTION, _ANSWER], True, False) is None:
        return "", ""
    if match := _WRAPPED.search(shown):
        return match["open"], match["close"]
    match = _ENDED.search(shown)
    return "", match["close"] if match else ""
