"""Prove an edit of a template: render conversations before and after, and compare.

What should change has changed, all else is the same to the byte, errors included; and Ollama reads the template in the
same way (its path, its capabilities, its thinking tags). What is not proven is not returned to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from modelsmith.errors import InjectionError, TemplateSyntaxError
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.effective.capabilities import go_capabilities, go_tool_round_trip
from modelsmith.template.outcomes import Outcomes, TooSlow, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template
    from modelsmith.template.outcomes import Outcome

    Expectation: TypeAlias = Callable[[Conversation, Think, str, str], str]
    """(conversation, think, before, after) -> "" where that is as it should be, else what is wrong."""

C = TypeVar("C")
T = TypeVar("T")

_SHOWN = 60
_SECONDS = 20.0
"""All conversations take most templates less than half a second."""


class Renderings(Outcomes):
    """The outcomes of a Go template, each made once."""

    def __init__(self, template: Template) -> None:
        super().__init__(template.render, sees_think=template.sees_think, seconds=_SECONDS)
        self.template = template


def prove(
    before: Callable[[Conversation, Think], Outcome],
    after: Callable[[Conversation, Think], Outcome],
    expectation: Expectation,
    conversations: Mapping[str, Conversation] | None = None,
    thinks: Iterable[Think] = THINKS,
) -> None:
    """Render every conversation in both ways; raise InjectionError for the smallest that is not as expected."""
    for pair in compared(before, after, proof_conversations() if conversations is None else conversations, thinks):
        was, now = pair.before, pair.after
        if was.error or now.error:
            if not was.fails_like(now):
                wrong = f"it must {'fail' if was.error else 'render'} as before"
                raise failed(pair.name, pair.think, was.shown, now.shown, wrong)
        elif wrong := expectation(pair.conversation, pair.think, was.prompt, now.prompt):
            raise failed(pair.name, pair.think, was.prompt, now.prompt, wrong)


def first_proven(
    candidates: Iterable[C],
    proven: Callable[[C], T],
    failure: str,
    *,
    otherwise: str = "nothing could be tried",
    hint: str = "",
) -> T:
    """Return what ``proven`` makes of the first candidate that it does not refuse.

    Raises InjectionError where it refuses all: ``failure``, and why the last was refused (``otherwise`` and ``hint`` where none
    could be tried), and TooSlow at once.
    """
    reason: InjectionError | None = None
    for candidate in candidates:
        try:
            return proven(candidate)
        except TooSlow:
            raise
        except TemplateSyntaxError:
            continue
        except InjectionError as error:
            reason = error
    raise InjectionError(f"{failure}: {reason or otherwise}", hint=reason.hint if reason else hint)


def check_renders(before: Renderings) -> None:
    """Raise InjectionError where a template fails for every conversation: then a proof would say nothing."""
    error = ""
    for conversation in proof_conversations().values():
        outcome = before(conversation)
        if not outcome.error and conversation.turns and not conversation.suffix:
            return
        error = error or outcome.error
    raise InjectionError(
        f"the template renders no conversation: {error}", hint="repair the template first; see `modelsmith render`"
    )


def same_prompt(_conversation: Conversation, _think: Think, before: str, after: str) -> str:
    """Expect that nothing changes."""
    return "" if before == after else "it must stay as it was"


def prove_same_reading(before: Template, after: Template, *, thinking_may_change: bool = False) -> None:
    """Raise InjectionError where Ollama would read the edited template in another way."""
    for what, old, new in (
        ("the way of rendering", before.is_legacy, after.is_legacy),
        ("the capabilities", go_capabilities(before) - {"thinking"}, go_capabilities(after) - {"thinking"}),
        ("the handling of tools", go_tool_round_trip(before), go_tool_round_trip(after)),
        ("the thinking tags", before.thinking_tags, after.thinking_tags),
    ):
        if old != new and not (thinking_may_change and what == "the thinking tags"):
            raise InjectionError(f"the edit would change {what} that Ollama sees: {old!r} became {new!r}")


def failed(name: str, think: Think, before: str, after: str, wrong: str = "") -> InjectionError:
    """Return the error for a conversation that an edit does not treat as it should: before, after, what is wrong."""
    said = "unset" if think is None else str(think).lower()
    return InjectionError(
        f'conversation "{name}" with think {said} gave {_tail(before)} before and {_tail(after)} after'
        + (f": {wrong}" if wrong else ""),
        hint="edit this template by hand, and compare with `modelsmith render`",
    )


def _tail(prompt: str) -> str:
    return repr(prompt) if len(prompt) <= _SHOWN else f"…{prompt[-_SHOWN:]!r}"
