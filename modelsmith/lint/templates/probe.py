"""What a template makes of a few small conversations: rendered when a rule first asks, each once.

The messages are marks that no template contains, so that a rule can say where a prompt shows them. Budgets are small: a
template that needs more says nothing here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.errors import TemplateRenderError
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.go.render import OutputPiece, Renderer
    from modelsmith.template.go.template import Template

SYSTEM, USER, ANSWER, NEXT, THOUGHT, RESULT, TOOL = (
    f"xq7z{word}z7qx" for word in ("System", "User", "Answer", "Next", "Thought", "Result", "Tool")
)
"""What the messages of the probes say, and what the tool is called."""

_STEPS, _FEW_STEPS, _ROOM = 20_000, 1_000, 1_000_000
LONGEST = 50_000
"""Templates with more characters are not rendered here; the longest known has some ten thousand."""

_USER = {"role": "user", "content": USER}
_ANSWER = {"role": "assistant", "content": ANSWER}
_NEXT = {"role": "user", "content": NEXT}
_TOOL = {
    "type": "function",
    "function": {
        "name": TOOL,
        "description": "When the sea is high",
        "parameters": {
            "type": "object",
            "required": ["harbour"],
            "properties": {"harbour": {"type": "string", "description": "Its name"}},
        },
    },
}
_CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": TOOL, "arguments": {"harbour": "Brest"}}}],
}
_CHATS: dict[str, dict[str, Any]] = {
    "user": {"messages": [_USER]},
    "turns": {"messages": [_USER, _ANSWER, _NEXT]},
    "system": {"messages": [{"role": "system", "content": SYSTEM}, _USER, _ANSWER, _NEXT]},
    "offer": {"messages": [_USER], "tools": [_TOOL]},
    "system-offer": {"messages": [{"role": "system", "content": SYSTEM}, _USER], "tools": [_TOOL]},
    "begun": {"messages": [_USER, {**_ANSWER, "thinking": THOUGHT}]},
    "tools": {"messages": [_USER, _CALL, {"role": "tool", "content": RESULT, "tool_name": TOOL}], "tools": [_TOOL]},
}
WORDS = {
    "user": "a user's first message",
    "turns": "a chat of several turns",
    "system": "a chat with a system message",
    "offer": "a chat with tools",
    "system-offer": "a chat with a system message and tools",
    "begun": "an answer that was begun, with thinking",
    "tools": "a tool call and its result",
}
"""What each probe is, for people."""


class Turns(NamedTuple):
    """What a prompt of several turns shows between the marks: before the first, around the answer, and at its end."""

    before: str
    opening: str
    closing: str
    tail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prompt, or the error (None: neither, it took too much)."""

    prompt: str | None = None
    error: TemplateRenderError | None = None


class Probes:
    """The renderings of one template."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._outcomes: dict[tuple[str, bool | None], Outcome] = {}
        self._renderer: Renderer | None = None
        self._is_heavy = len(template.text) > LONGEST

    def outcome(self, chat: str, think: bool | None = None) -> Outcome:
        """Return what becomes of a probe; think None is what a request that does not say gets."""
        if think is None and all(self._template.thinking_tags):
            think = True
        key = (chat, think)
        if key not in self._outcomes:
            self._outcomes[key] = self._render(chat, think)
        return self._outcomes[key]

    def prompt(self, chat: str, think: bool | None = None) -> str:
        """Return a probe's prompt, "" where there is none."""
        return self.outcome(chat, think).prompt or ""

    def pieces(self, chat: str) -> tuple[OutputPiece, ...]:
        """Return a probe's prompt with the nodes that print it; none where it fails."""
        if self.outcome(chat).prompt is None:
            return ()

        renderer = self._template.renderer(traced=True, steps=_STEPS, room=_ROOM)
        return renderer.trace(_conversation(chat), True if all(self._template.thinking_tags) else None)

    def turns(self, chat: str = "turns") -> Turns | None:
        """Cut a prompt of several turns at its marks; None where it does not show them in their order."""
        prompt = self.prompt(chat)
        answer, following = prompt.find(ANSWER), prompt.rfind(NEXT)
        user = prompt.rfind(USER, 0, max(answer, 0))
        if user < 0 or not user < answer < following:
            return None
        return Turns(
            prompt[: prompt.find(USER)],
            prompt[user + len(USER) : answer],
            prompt[answer + len(ANSWER) : prompt.find(NEXT, answer)],
            prompt[following + len(NEXT) :],
        )

    def is_light(self) -> bool:
        """Say whether a chat of three messages takes so few steps that edits can be proven in no time."""
        try:
            self._template.renderer(steps=_FEW_STEPS, room=_ROOM).render(_conversation("turns"), None)
        except TemplateRenderError:
            return False
        return True

    def _render(self, chat: str, think: bool | None) -> Outcome:
        from modelsmith.template.go.state import OutOfBudget

        if self._is_heavy:
            return Outcome()
        if self._renderer is None:
            self._renderer = self._template.renderer(steps=_STEPS, room=_ROOM)
        try:
            return Outcome(self._renderer.render(_conversation(chat), think))
        except OutOfBudget:
            self._is_heavy = True
            return Outcome()
        except TemplateRenderError as error:
            return Outcome(error=error)


@lru_cache(maxsize=len(_CHATS))
def _conversation(chat: str) -> Conversation:
    from modelsmith.template.conversation.conversation import Conversation

    return Conversation.from_dict(_CHATS[chat])


@lru_cache(maxsize=64)
def probes(template: Template) -> Probes:
    """Return the renderings of a template, the same ones for every rule."""
    return Probes(template)
