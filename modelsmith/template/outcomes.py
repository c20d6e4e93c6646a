"""Proof by rendering: what comes of conversations in two ways to render them, one beside the other.

Edits, conversions, recipes and comparisons differ in what the two ways are and in what may differ between them. Which
conversations are rendered, what counts as the same failure, and that each is rendered once stands here.
"""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import InjectionError, TemplateError
from modelsmith.memo import Same
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.conversation.think import THINKS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

    Render: TypeAlias = Callable[[Conversation, Think], str]
    """A way to render a conversation; raises TemplateError where it fails."""

_GO_PLACE = regex(r"^template: [^:]*:\d+(:\d+)?")
_JINJA_PLACE = regex(r" \(line \d+(?:, column \d+)?\)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rendering: the prompt, or the error, one of them empty."""

    prompt: str = ""
    error: str = ""

    @classmethod
    def of(cls, render: Render, conversation: Conversation, think: Think = None) -> Outcome:
        """Render; an error is part of the outcome."""
        try:
            return cls(render(conversation, think))
        except TemplateError as error:
            return cls(error=error.message or "it fails and does not say why")

    @property
    def shown(self) -> str:
        """The prompt, or the error in its place."""
        return self.error or self.prompt

    def fails_like(self, other: Outcome) -> bool:
        """Say whether both fail for the same reason; where in the template that is does not count: an edit moves it."""
        return bool(self.error and other.error) and _placeless(self.error) == _placeless(other.error)


class TooSlow(InjectionError):
    """A template whose renderings take so long that nothing can be proven."""


class Outcomes:
    """The outcomes of one way to render, each made once.

    ``sees_think`` False: what the request says about thinking makes no difference. ``same`` says by what a conversation is
    known: the object itself, if nothing else is said. ``seconds``: what all renderings together may take.
    """

    def __init__(
        self,
        render: Render,
        *,
        sees_think: bool = True,
        same: Callable[[Conversation], Hashable] = Same,
        seconds: float | None = None,
    ) -> None:
        self._render = render
        self._sees_think = sees_think
        self._same = same
        self._seconds, self._spent = seconds, 0.0
        self._known: dict[tuple[Hashable, Think], Outcome] = {}

    def different(self, thinks: Sequence[Think]) -> Sequence[Think]:
        """Return those of the values that can make a difference: one, where the template does not look at any."""
        return thinks if self._sees_think else thinks[:1]

    def __call__(self, conversation: Conversation, think: Think = None) -> Outcome:
        """Return what comes of a conversation; raises TooSlow where all took too long."""
        key = (self._same(conversation), think if self._sees_think else None)
        found = self._known.get(key)
        if found is None:
            start = process_time()
            found = self._known[key] = Outcome.of(self._render, conversation, key[1])
            self._spent += process_time() - start
        if self._seconds is not None and self._spent > self._seconds:
            count = len(self._known)
            raise TooSlow(f"an edit cannot be proven: rendering {count} conversations took {self._seconds:.0f} s")
        return found

    def prompts(self, think: Think) -> Callable[[Conversation], str | None]:
        """Return what gives the prompt of a conversation with this ``think``: None where it fails."""

        def prompt(conversation: Conversation) -> str | None:
            outcome = self(conversation, think)
            return None if outcome.error else outcome.prompt

        return prompt


@dataclass(frozen=True, slots=True)
class Pair:
    """What came of one conversation in the two ways."""

    name: str
    conversation: Conversation
    think: Think
    before: Outcome
    after: Outcome


def compared(
    before: Callable[[Conversation, Think], Outcome],
    after: Callable[[Conversation, Think], Outcome],
    conversations: Mapping[str, Conversation],
    thinks: Iterable[Think] = THINKS,
) -> Iterator[Pair]:
    """Yield what comes of every conversation under every ``think`` value, in the order of the conversations."""
    thinks = tuple(thinks)
    for name, conversation in conversations.items():
        for think in thinks:
            yield Pair(name, conversation, think, before(conversation, think), after(conversation, think))


def _placeless(error: str) -> str:
    return _JINJA_PLACE.sub("", _GO_PLACE.sub("template", error))
