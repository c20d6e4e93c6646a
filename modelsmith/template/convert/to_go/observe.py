"""Learn what a chat template prints around contents: render marked conversations and cut the prompts at the marks.

Every message gets a content that nothing else contains. What stands before a content, and after the last one, is an
observation, together with the facts a Go template can ask for at that place: who spoke before, whether this is the last
message, whether there is a system text, what the request says about thinking.

Source of what Go can ask for: Ollama, template/template.go (Values, collate).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ConversionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.convert.to_go.orders import (
    CALLING,
    CALLS,
    CONCATENATED,
    CONTENT,
    END,
    FIRST,
    INLINE,
    ISO_DATE,
    JOINED,
    LAST,
    LONG_DATE,
    QUOTED,
    SHORT_DATE,
    SILENT,
    SYSTEM,
    THINKING,
    THINKS,
    TOOLS,
    UNIT,
    facts_before,
    orders,
    shapes,
    yes_or_no,
)
from modelsmith.template.convert.to_go.tools import GIVEN, calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.template.convert.to_go.orders import Coverage, Shape
    from modelsmith.template.convert.to_go.reference import Reference


_NOW = datetime(1987, 3, 4, 12, 34, 56)  # noqa: DTZ001  # a wall clock, as templates see it
_DATES = {f"{_NOW:%Y-%m-%d}": ISO_DATE, f"{_NOW:%d %b %Y}": SHORT_DATE, f"{_NOW:%B %d, %Y}": LONG_DATE}
_MISSING = -1


@dataclass(frozen=True, slots=True)
class Observation:
    """``text`` was printed before a content of ``role`` (or at the ``end``), after a content of ``left``.

    ``text`` is None where the message is not printed at all.
    """

    role: str
    left: str
    facts: tuple[tuple[str, str], ...]
    text: str | None


def observe(render: Reference, coverage: Coverage) -> list[Observation]:
    """Return what is seen, each once; raises ConversionError where a prompt cannot be cut at its contents."""
    found: dict[Observation, None] = {}
    for order in orders(coverage.roles):
        for shape in shapes(order, coverage):
            for observation in _cut(render, order, shape, coverage):
                found[observation] = None
    if not found:
        raise ConversionError("the template refuses every conversation", hint="see why with `modelsmith render`")
    return list(found)


def _cut(render: Reference, order: tuple[str, ...], shape: Shape, coverage: Coverage) -> Iterator[Observation]:
    marks = [f"xq{chr(65 + number)}qx" for number in range(len(order))]
    inner = [f"xt{chr(65 + number)}tx" for number in range(len(order))]
    made = [""] * len(order)
    messages: list[dict[str, Any]] = []
    for number, role in enumerate(order):
        message: dict[str, Any] = {"role": "assistant" if role == CALLING else role, "content": marks[number]}
        if shape.thoughts and message["role"] == "assistant":
            message["thinking"] = inner[number]
        if role == CALLING:
            message["content"] = marks[number] if shape.said else ""
            if coverage.format and coverage.format.calls:
                message["tool_calls"] = calls(number, coverage.format.calls.count)
                made[number] = coverage.format.calls.text(number)
        messages.append(message)
    if not shape.closed:
        messages[-1]["content"] = ""
    tools = GIVEN if shape.listed else []
    outcome = render(Conversation.from_dict({"messages": messages, "tools": tools}), THINKS[shape.think], _NOW)
    if outcome.error:
        return
    prompt = outcome.prompt
    if not shape.said and any(text and text not in prompt for text in made[:-1]):
        return  # an answer of which nothing is shown has no place
    for date, symbol in _DATES.items():
        prompt = prompt.replace(date, symbol)
    if shape.listed and coverage.format and coverage.format.tools:
        prompt = prompt.replace(coverage.format.tools.text, TOOLS)
    if not messages[-1]["content"] and not shape.silent:
        prompt += marks[-1]
    system = _system(order, marks, coverage.placement)
    prompt = prompt.replace(system, SYSTEM) if system else prompt
    shared = {
        "think": shape.think,
        "system": yes_or_no("system" in order if coverage.placement == INLINE else bool(system)),
        "tools": yes_or_no(shape.listed),
    }
    if coverage.format and coverage.format.quotes:
        made = [f'"{mark}"' if role == "tool" else text for role, mark, text in zip(order, marks, made, strict=True)]
    yield from _pieces(prompt, order, (marks, inner, made), shared, shape)


def _system(order: Sequence[str], marks: Sequence[str], placement: str) -> str:
    """Return the system text that the template can have in its hands from the beginning."""
    texts = [mark for role, mark in zip(order, marks, strict=True) if role == "system"]
    if placement == FIRST:
        return marks[0] if order[0] == "system" else ""
    return {INLINE: "", JOINED: "\n\n".join(texts), CONCATENATED: "".join(texts), LAST: texts[-1] if texts else ""}[
        placement
    ]


def _pieces(
    prompt: str,
    order: Sequence[str],
    texts: tuple[Sequence[str], Sequence[str], Sequence[str]],
    shared: dict[str, str],
    shape: Shape,
) -> Iterator[Observation]:
    last_user = max((number for number, role in enumerate(order) if role == "user"), default=_MISSING)
    shared["user"] = yes_or_no("user" in order)
    position, previous = 0, ""
    shown = len(order) - 1 if shape.silent else len(order)
    for number, (role, mark, thought, made) in enumerate(list(zip(order, *texts, strict=True))[:shown]):
        last = number == len(order) - 1
        facts = (
            shared
            | facts_before(order[:number])
            | {
                "previous": previous,
                "first": yes_or_no(number == 0),
                "begins": yes_or_no(number == 0 or (number == 1 and order[0] == "system")),
                "last": yes_or_no(last),
                "asked": yes_or_no(last or (number == len(order) - 2 and order[-1] in {"assistant", CALLING})),
                "last_user": yes_or_no(number == last_user),
                "after_last_user": yes_or_no(number > last_user),
                "thinking": yes_or_no(shape.thoughts and role in {"assistant", CALLING}),
                "unsaid": yes_or_no(last and not shape.closed),
                "said": yes_or_no(role != CALLING or shape.said),
            }
        )
        start, end = _unit(prompt, mark, made)
        if start < 0:
            yield _observation(role, previous, facts, None)
            continue
        if prompt.count(mark) > 1:
            raise ConversionError(f"a content of the role {role} is printed more than once")
        if start < position:
            raise ConversionError("contents are printed in another order than that of the messages")
        yield _observation(role, previous, facts, prompt[position:start].replace(thought, THINKING))
        if made or role == CALLING:
            symbol = CALLS if role == CALLING else QUOTED
            unit = prompt[start:end].replace(made or "\0", symbol).replace(mark, CONTENT).replace(thought, THINKING)
            yield _observation(UNIT + role, UNIT, facts, unit)
        position, previous = end, role
    ends = {"previous": previous, "role": order[-1], "last": "yes", SILENT: yes_or_no(shape.silent)}
    # an answer that is begun is no message before what follows
    facts = shared | facts_before(order[:-1] if order[-1] == "assistant" else order) | ends
    yield _observation(END, previous, facts, prompt[position:])


def _unit(prompt: str, mark: str, made: str) -> tuple[int, int]:
    """Return where the content of a message and its calls stand, from the first to the end of the last; -1 for neither."""
    places = [(prompt.find(text), len(text)) for text in (mark, made) if text and text in prompt]
    if not places:
        return -1, -1
    return min(start for start, _ in places), max(start + length for start, length in places)


def _observation(role: str, left: str, facts: Mapping[str, str], text: str | None) -> Observation:
    return Observation(role, left, tuple(sorted(facts.items())), text)
