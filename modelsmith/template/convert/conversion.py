"""The outcome of a conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.convert.proof import Proof


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A conversation that the two templates render differently; an error stands in place of the prompt."""

    name: str
    conversation: Conversation
    think: Think
    jinja: str
    go: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """A template in the other language, and how far it is proven equal.

    ``proven_chat`` speaks of all conversations without tools, ``proven_tools`` of those with them. ``covered`` names the
    conversations that are equal, ``limits`` says in words what was left out of the comparison, ``unrendered`` names whole kinds
    of conversations that the original does not render, so that nothing is known about them.
    """

    template: Template | ChatTemplate
    proven_chat: bool
    proven_tools: bool
    counterexample: Counterexample | None
    covered: tuple[str, ...]
    limits: tuple[str, ...]
    unrendered: tuple[str, ...] = ()

    @classmethod
    def judged(
        cls,
        template: Template | ChatTemplate,
        chat: Proof,
        tools: Proof,
        *,
        limits: tuple[str, ...] = (),
        unrendered: tuple[str, ...] = (),
    ) -> Conversion:
        """Return the conversion that two proofs are about, the one without tools and the one with them."""
        pair = chat.counterexample or tools.counterexample
        counterexample = None
        if pair is not None:
            shown = (pair.after.shown, pair.before.shown)
            jinja, go = shown if isinstance(template, ChatTemplate) else reversed(shown)
            counterexample = Counterexample(pair.name, pair.conversation, pair.think, jinja, go)
        return cls(
            template,
            chat.counterexample is None and bool(chat.covered),
            tools.counterexample is None,
            counterexample,
            (*chat.covered, *tools.covered),
            (*dict.fromkeys((*chat.limits, *tools.limits)), *limits),
            unrendered,
        )

    @property
    def proven(self) -> bool:
        """Whether all conversations are equal, and no kind of them is left open."""
        return self.proven_chat and self.proven_tools and not self.unrendered

    @property
    def thinking_tags(self) -> tuple[str, str]:
        """The tags around reasoning as the server of the new template finds them, "" for none."""
        if isinstance(self.template, Template):
            return self.template.thinking_tags
        return self.template.reasoning.opening.strip(), self.template.reasoning.closing.strip()
