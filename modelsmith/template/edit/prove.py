"""Prove an edit of a template: render conversations before and after, and compare.

What should change has changed, all else is the same to the byte, errors included; and Ollama reads the template in the
same way (its path, its capabilities, its thinking tags). What is not proven is not returned to anybody.
"""

from __future__ import annotations

from itertools import product
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.effective.capabilities import go_capabilities, go_tool_round_trip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template

    Expectation: TypeAlias = Callable[[Conversation, Think, str, str], str]
    """(conversation, think, before, after) -> "" where that is as it should be, else what is wrong."""

_SHOWN = 60
_SECONDS = 20.0
"""All conversations take most templates less than half a second."""
_PLACE = regex(r"^template: [^:]*:\d+(:\d+)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rendering: the prompt, or the error (the place in the template left out: an edit moves it)."""

    prompt: str | None
    error: str = ""


class TooSlow(InjectionError):
    """A template whose renderings take so long that nothing can be proven."""


class Renderings:
    """The outcomes of one template, each rendered once."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._sees_think = template.sees_think
        self._known: dict[tuple[int, Think], tuple[Conversation, Outcome]] = {}
        self._seconds = _SECONDS

    def different(self, thinks: Sequence[Think]) -> Sequence[Think]:
        """Return those of the values that can make a difference: one, where the template does not look at any."""
        return thinks if self._sees_think else thinks[:1]

    def __call__(self, conversation: Conversation, think: Think = None) -> Outcome:
        """Return what the template makes of a conversation; raises TooSlow where that takes too long."""
        key = (id(conversation), think if self._sees_think else None)
        if key not in self._known:
            start = monotonic()
            self._known[key] = (conversation, self._render(conversation, think))
            self._seconds -= monotonic() - start
        if self._seconds < 0:
            raise TooSlow(f"an edit cannot be proven: rendering {len(self._known)} conversations took {_SECONDS:.0f} s")
        return self._known[key][1]

    def _render(self, conversation: Conversation, think: Think) -> Outcome:
        try:
            return Outcome(self.template.render(conversation, think))
        except TemplateRenderError as error:
            return Outcome(None, _PLACE.sub("template", error.message))


def prove(
    before: Template | Renderings,
    after: Template | Renderings,
    expectation: Expectation,
    conversations: Mapping[str, Conversation] | None = None,
    thinks: Iterable[Think] = THINKS,
) -> None:
    """Render every conversation with both templates; raise InjectionError for the smallest that is not as expected."""
    old = before if isinstance(before, Renderings) else Renderings(before)
    new = after if isinstance(after, Renderings) else Renderings(after)
    for think, (name, conversation) in product(thinks, (conversations or proof_conversations()).items()):
        was, now = old(conversation, think), new(conversation, think)
        if was.prompt is None or now.prompt is None:
            if was != now:
                raise failed(name, think, was.error or "it renders", now.error or "it renders")
        elif wrong := expectation(conversation, think, was.prompt, now.prompt):
            raise failed(name, think, was.prompt, now.prompt, wrong)


def check_renders(before: Renderings) -> None:
    """Raise InjectionError where a template fails for every conversation: then a proof would say nothing."""
    error = ""
    for conversation in proof_conversations().values():
        outcome = before(conversation)
        if outcome.prompt is not None and conversation.turns and not conversation.suffix:
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
