"""Learn what a chat template prints around contents: render marked conversations and cut the prompts at the marks.

Every message gets a content that nothing else contains. What stands before a content, and after the last one, is an
observation, together with the facts a Go template can ask for at that place: who spoke before, whether this is the last
message, whether there is a system text, what the request says about thinking.

Source of what Go can ask for: Ollama, template/template.go (Values, collate).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ConversionError, TemplateRenderError
from modelsmith.template.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from modelsmith.template.inject_code import Think

    Reference = Callable[[Conversation, Think, datetime], str]
    """What the Jinja template makes of a conversation at a time; raises TemplateRenderError where it refuses."""

SYSTEM, THINKING, ISO_DATE, SHORT_DATE, LONG_DATE = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
"""What stands in observed texts for the system text, a message's reasoning, and today's date in three forms."""

INLINE, FIRST, JOINED, LAST, PILED = "inline", "first", "joined", "last", "piled"
"""Where a system text comes from: its message; the first message, kept in a variable; ``.System``; the last system message,
or all of them one after the other, kept in a variable too."""

KEPT = frozenset({FIRST, LAST, PILED})

THINKS: dict[str, Think] = {"unset": None, "on": True, "off": False}
END = "end"
LONGEST = 4
"""Orders of so many roles are tried, with tools one fewer."""
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


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: these roles, think values where the template may tell them apart, reasoning where it prints any."""

    roles: tuple[str, ...]
    placement: str
    thinks: bool
    reasons: bool


def observe(render: Reference, scope: Scope) -> list[Observation]:
    """Return what is seen, each once; raises ConversionError where a prompt cannot be cut at its contents."""
    found: dict[Observation, None] = {}
    placement = scope.placement
    for order in _orders(scope.roles):
        for word, thoughts in product(THINKS if scope.thinks else ("unset",), (False, True)):
            if thoughts and ("assistant" not in order or not scope.reasons):
                continue
            for contents in ("all", "all but the last") if thoughts and order[-1] == "assistant" else ("all",):
                for observation in _cut(render, order, word, placement, thoughts=thoughts, closed=contents == "all"):
                    found[observation] = None
    if not found:
        raise ConversionError("the template refuses every conversation", hint="see why with `modelsmith render`")
    return list(found)


def _orders(roles: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield orders of roles as Ollama's merging leaves them: no role but tool twice in a row."""
    for length in range(1, LONGEST + 1):
        for order in product(roles, repeat=length):
            if length == LONGEST and "tool" in order:
                continue
            if all(one != other or one == "tool" for one, other in pairwise(order)):
                yield order
    talk = ("user", "assistant") * 3
    yield from (talk, talk[:5], ("system", *talk), ("system", *talk[:5])) if "system" in roles else (talk, talk[:5])


def _cut(
    render: Reference, order: tuple[str, ...], think: str, placement: str, *, thoughts: bool, closed: bool
) -> Iterator[Observation]:
    marks = [f"xq{chr(65 + number)}qx" for number in range(len(order))]
    inner = [f"xt{chr(65 + number)}tx" for number in range(len(order))]
    messages: list[dict[str, Any]] = [{"role": role, "content": mark} for role, mark in zip(order, marks, strict=True)]
    for message, thought in zip(messages, inner, strict=True):
        if thoughts and message["role"] == "assistant":
            message["thinking"] = thought
    if not closed:
        messages[-1]["content"] = ""
    try:
        prompt = render(Conversation.from_dict({"messages": messages}), THINKS[think], _NOW)
    except TemplateRenderError:
        return
    for date, symbol in _DATES.items():
        prompt = prompt.replace(date, symbol)
    if not closed:
        prompt += marks[-1]
    system = _system(order, marks, placement)
    prompt = prompt.replace(system, SYSTEM) if system else prompt
    shared = {"think": think, "system": _word("system" in order if placement == INLINE else bool(system))}
    yield from _pieces(prompt, order, marks, inner, shared, thoughts=thoughts, closed=closed)


def _system(order: Sequence[str], marks: Sequence[str], placement: str) -> str:
    """Return the system text that the template can have in its hands from the beginning."""
    texts = [mark for role, mark in zip(order, marks, strict=True) if role == "system"]
    if placement == FIRST:
        return marks[0] if order[0] == "system" else ""
    return {INLINE: "", JOINED: "\n\n".join(texts), PILED: "".join(texts), LAST: texts[-1] if texts else ""}[placement]


def _pieces(
    prompt: str,
    order: Sequence[str],
    marks: Sequence[str],
    inner: Sequence[str],
    shared: dict[str, str],
    *,
    thoughts: bool,
    closed: bool,
) -> Iterator[Observation]:
    last_user = max((number for number, role in enumerate(order) if role == "user"), default=_MISSING)
    shared["user"] = _word("user" in order)
    position, previous = 0, ""
    for number, (role, mark) in enumerate(zip(order, marks, strict=True)):
        last = number == len(order) - 1
        facts = shared | {
            "previous": previous,
            "first": _word(number == 0),
            "last": _word(last),
            "last_user": _word(number == last_user),
            "after_last_user": _word(number > last_user),
            "thinking": _word(thoughts and role == "assistant"),
            "unsaid": _word(last and not closed),
        }
        if mark not in prompt:
            yield _observation(role, previous, facts, None)
            continue
        if prompt.count(mark) > 1:
            raise ConversionError(f"a content of the role {role} is printed more than once")
        place = prompt.index(mark)
        if place < position:
            raise ConversionError("contents are printed in another order than that of the messages")
        text = prompt[position:place].replace(inner[number], THINKING)
        yield _observation(role, previous, facts, text)
        position, previous = place + len(mark), role
    facts = shared | {"previous": previous, "role": order[-1], "last": "yes"}
    yield _observation(END, previous, facts, prompt[position:])


def _observation(role: str, left: str, facts: Mapping[str, str], text: str | None) -> Observation:
    return Observation(role, left, tuple(sorted(facts.items())), text)


def _word(value: bool) -> str:
    return "yes" if value else "no"
