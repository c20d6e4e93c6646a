"""What is looked at to learn a chat template: the orders of roles, and the symbols that stand for what is known in prompts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.convert.to_go.tools import ToolFormat

SYSTEM, THINKING, ISO_DATE, SHORT_DATE, LONG_DATE = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
"""What stands in observed texts for the system text, a message's reasoning, and today's date in three forms."""

TOOLS, CALLS, CONTENT, QUOTED = "\ue005", "\ue006", "\ue007", "\ue008"
"""What stands for the list of tools, the calls of a message, its content beside them, and a content as JSON."""

INLINE, FIRST, JOINED, LAST, CONCATENATED = "inline", "first", "joined", "last", "concatenated"
"""Where a system text comes from: its message; the first message, kept in a variable; ``.System``; the last system message,
or all of them one after the other, kept in a variable too."""

KEPT = frozenset({FIRST, LAST, CONCATENATED})

THINKS: dict[str, Think] = {"unset": None, "on": True, "off": False}
END, CALLING, UNIT = "end", "calls", "unit "
"""What is no role but treated like one: the end of a prompt, an answer that makes calls, and,
before the name of a role, what its contents are printed as."""

SILENT = "silent"
"""The fact that the last message is an answer with nothing in it, of which llama-server shows nothing."""

_CALLING_ORDERS = tuple(
    tuple(order.split())
    for order in (
        "user calls",
        "user calls tool",
        "user calls tool tool",
        "user calls tool calls tool",
        "user calls tool assistant",
        "user calls tool tool assistant user",
        "user calls tool assistant user calls tool",
        "user calls user",
        "user assistant user calls tool",
        "calls",
        "calls tool",
        "calls user",
        "calls tool assistant user",
        "tool calls user",
    )
)
LONGEST = 4
"""Orders of so many roles are tried, with tools one fewer."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is looked at: these roles, think values where the template may tell them apart, reasoning where it prints any.

    ``format`` says how tools and calls are written, where they are looked at.
    """

    roles: tuple[str, ...]
    placement: str
    thinks: bool
    reasons: bool
    format: ToolFormat | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What is the same for a whole conversation: thinking asked for, reasoning in answers, tools offered, contents.

    Without ``closed`` the last answer has no content yet, and without ``thoughts`` too it is silent: it has not begun at all.
    Without ``said`` no answer that makes calls has any.
    """

    think: str
    thoughts: bool
    listed: bool
    closed: bool = True
    said: bool = True

    @property
    def silent(self) -> bool:
        """Whether the last answer has nothing in it."""
        return not self.closed and not self.thoughts


def shapes(order: Sequence[str], coverage: Coverage) -> Iterator[Shape]:
    """Yield the conversations of one order of roles that are looked at."""
    answers = "assistant" in order or CALLING in order
    lists = (False, True) if coverage.format and coverage.format.tools else (CALLING in order,)
    for think, thoughts, listed in product(THINKS if coverage.thinks else ("unset",), (False, True), lists):
        if thoughts and not (answers and coverage.reasons):
            continue
        yield Shape(think, thoughts, listed)
        if order[-1] == "assistant":
            yield Shape(think, thoughts, listed, closed=False)
        if CALLING in order:
            yield Shape(think, thoughts, listed, said=False)


def orders(roles: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield orders of roles as Ollama's merging leaves them: no role but tool twice in a row."""
    if CALLING in roles:
        roles = tuple(role for role in roles if role != CALLING)
        for order in _CALLING_ORDERS:
            if set(order) <= {*roles, CALLING}:
                yield order
                yield from (("system", *order),) if "system" in roles else ()
    for length in range(1, LONGEST + 1):
        for order in product(roles, repeat=length):
            if length == LONGEST and "tool" in order:
                continue
            if all(one != other or one == "tool" for one, other in pairwise(order)):
                yield order
    talk = ("user", "assistant") * 3
    yield from (talk, talk[:5], ("system", *talk), ("system", *talk[:5])) if "system" in roles else (talk, talk[:5])


def facts_before(before: Sequence[str]) -> dict[str, str]:
    """Return the facts about messages before a place: who but the system spoke last, whether results of tools came."""
    spoken = [role for role in before if role != "system"]
    since = spoken[len(spoken) - spoken[::-1].index(CALLING) :] if CALLING in spoken else spoken
    return {
        "spoken": spoken[-1] if spoken else "",
        "ever": yes_or_no("tool" in spoken),
        "output": yes_or_no("tool" in since),
    }


def yes_or_no(value: bool) -> str:
    """Return a fact's word for true or false."""
    return "yes" if value else "no"
