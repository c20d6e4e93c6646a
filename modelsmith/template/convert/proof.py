"""Prove that two templates give the same prompts: over all conversations that the Jinja template takes.

What is compared, and what is not:

* Ollama merges neighbours of one role before its Go templates see them, so both templates get the merged messages.
* Reasoning of messages is passed to Jinja as ``reasoning_content``.
* A conversation counts where the Jinja template renders it. Left out are the role developer, images (each server puts them
  in on its own), texts to be filled in, and the conversation without messages.
* Go templates cannot change a text. Where Jinja trims contents, or drops reasoning that is part of a content, the prompts
  are compared again without that white space or reasoning, and the conversion says so in its ``limits``.

Source: Ollama template/template.go (collate); llama.cpp common/chat.cpp.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.proof import conversion_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.outcomes import Outcomes, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.template.outcomes import Outcome, Pair


TRIMS = "white space around contents: the Jinja template removes it, a Go template cannot"
DROPS = "reasoning inside the content of earlier answers: the Jinja template removes it, a Go template cannot"
EMPTY = "a system message without text: where the Jinja template takes it for one and the Go template for none, or the other way"
NOW = datetime(2031, 11, 22, 9, 8, 7)  # noqa: DTZ001  # a wall clock, as templates see it
"""The time of all renderings."""
SORTS = "the order of a tool's parameters and of a call's arguments: Ollama sorts them by name before a Go template sees them"
QUOTES = (
    "characters that do not print (control characters, joiners inside emoji) in what is written as JSON: "
    "JSON has them as they are, a Go template can only write \\u200d for them"
)
GAP = "a branch that no conversation of the proof takes"
PAST, BEGUN, TOOLS = "past answers", "a begun answer", "tools"
KINDS = (PAST, BEGUN, TOOLS)
"""Kinds of conversations that a proof must have rendered: a template that takes none of a kind leaves that open."""
CALLED, RESULTS = "past calls of tools", "results of tools"
TOOL_KINDS = (CALLED, RESULTS)
"""The same, of a template that shows tools: a model that is offered them will call them."""

_REASONING = re.compile(r"<think>.*?</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of comparing: names of equal conversations, the smallest that differs, limits met, kinds that were rendered."""

    covered: tuple[str, ...]
    counterexample: Pair | None
    limits: tuple[str, ...]
    kinds: frozenset[str] = frozenset()


class Reference:
    """What a Jinja template makes of a conversation once Ollama has merged it; each is rendered once."""

    def __init__(self, chat_template: ChatTemplate, bos_token: str = "", eos_token: str = "") -> None:
        self.chat_template = chat_template
        self._bos_token, self._eos_token = bos_token, eos_token
        self._at: dict[datetime, Outcomes] = {}
        self.thinks = any(name in chat_template.text for name in ("enable_thinking", "reasoning_effort"))
        self.opening = chat_template.reasoning.opening
        self.reasons = bool(self.opening) or "reasoning_content" in chat_template.text

    def __call__(self, conversation: Conversation, think: Think, now: datetime = NOW) -> Outcome:
        """Return the prompt, or the error where the template refuses."""
        if now not in self._at:
            render = partial(self._render, now=now)
            self._at[now] = Outcomes(render, sees_think=self.thinks, same=lambda talk: repr(_merged(talk)))
        return self._at[now](conversation, think)

    def _render(self, conversation: Conversation, think: Think, *, now: datetime) -> str:
        return self.chat_template.render(
            _merged(conversation),
            think,
            bos_token=self._bos_token,
            eos_token=self._eos_token,
            reasoning_content=True,
            now=now,
        )


def _merged(conversation: Conversation) -> Conversation:
    return replace(conversation, messages=conversation.collated[1])


def go_outcomes(template: Template) -> Outcomes:
    """Return what a Go template makes of conversations at the time of the proof."""

    def render(conversation: Conversation, think: Think) -> str:
        with today_is(NOW.date()):
            return template.render(conversation, think)

    return Outcomes(render)


def prove(
    wanted: Callable[[Conversation, Think], Outcome],
    found: Callable[[Conversation, Think], Outcome],
    conversations: Iterable[tuple[str, Conversation]],
    excused: Callable[[Pair], tuple[str, ...] | None],
    thinks: Iterable[Think] = THINKS,
) -> Proof:
    """Compare the template that is wanted with the one found for it, over the conversations that the former takes.

    ``excused`` names the limits that explain a difference, None where none does.
    """
    covered: list[str] = []
    limits: dict[str, None] = {}
    first: Pair | None = None
    kinds: set[str] = set()
    thinks = tuple(thinks)
    for name, conversation in conversations:
        equal = 0
        for pair in compared(wanted, found, {name: conversation}, thinks):
            if pair.before.error:
                continue
            kinds.update(kinds_of(conversation))
            met = () if pair.before.prompt == pair.after.shown else excused(pair)
            if met is None:
                first = first or pair
                break
            equal += 1
            limits.update(dict.fromkeys(met))
        else:
            covered += [name] if equal else []
    return Proof(tuple(covered), first, tuple(limits), frozenset(kinds))


def chats(*, tools: bool) -> Iterator[tuple[str, Conversation]]:
    """Yield the conversations with or without tools that a proof compares, the smallest first."""
    for name, conversation in conversion_conversations().items():
        if counts(conversation) and uses_tools(conversation) == tools:
            yield name, conversation


def kinds_of(conversation: Conversation) -> frozenset[str]:
    """Return what is peculiar about a conversation, in the words of :data:`KINDS` and :data:`TOOL_KINDS`."""
    roles = [message.role for message in conversation.collated[1]]
    found = {
        PAST: "assistant" in roles[:-1],
        BEGUN: roles[-1:] == ["assistant"],
        TOOLS: bool(conversation.tools),
        CALLED: any(message.tool_calls for message in conversation.collated[1][:-1]),
        RESULTS: "tool" in roles,
    }
    return frozenset(kind for kind, holds in found.items() if holds)


def _spoken(conversation: Conversation) -> Conversation:
    """Return the conversation without system messages that have no text."""
    messages = (message for message in conversation.messages if message.role != "system" or message.content)
    return replace(conversation, messages=tuple(messages))


def uses_tools(conversation: Conversation) -> bool:
    """Say whether tools, calls or their results are part of a conversation."""
    return bool(conversation.tools) or any(
        message.role == "tool" or message.tool_calls for message in conversation.messages
    )


def counts(conversation: Conversation) -> bool:
    """Say whether a conversation is part of a comparison (see the text of the module)."""
    messages = conversation.turns
    plain = not any(message.images or message.role == "developer" for message in messages)
    return bool(messages) and plain and not conversation.suffix


def limits_met(reference: Reference, found: Outcomes, pair: Pair) -> tuple[str, ...] | None:
    """Return the fewest limits that explain a difference: without what they speak of, the prompts are equal."""
    for count in range(1, len(_LIMITS) + 1):
        for limits in combinations(_LIMITS, count):
            changed = pair.conversation
            for limit in limits:
                changed = _LIMITS[limit](changed)
            if repr(changed) == repr(pair.conversation):  # mappings in another order are equal
                continue
            wanted = reference(changed, pair.think)
            if not wanted.error and wanted.prompt == found(changed, pair.think).shown:
                return limits
    return None


def _changed(conversation: Conversation, change: Callable[[str], str]) -> Conversation:
    messages = (replace(message, content=change(message.content)) for message in conversation.messages)
    return replace(conversation, messages=tuple(messages))


def sorted_names(conversation: Conversation) -> Conversation:
    """Return the conversation with the parameters of tools and the arguments of calls in the order of their names."""
    shape = json.loads(json.dumps(conversation.to_dict()))
    for tool in shape.get("tools", ()):
        parameters = tool["function"]["parameters"]
        if parameters.get("properties"):
            parameters["properties"] = _sorted(parameters["properties"].items())
    for message in shape["messages"]:
        for call in message.get("tool_calls", ()):
            if call["function"].get("arguments"):
                call["function"]["arguments"] = _sorted(call["function"]["arguments"].items())
    return Conversation.from_dict(shape)


def _sorted(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(items, key=lambda item: item[0].encode()))


_LIMITS: Mapping[str, Callable[[Conversation], Conversation]] = {
    TRIMS: lambda conversation: _changed(conversation, str.strip),
    DROPS: lambda conversation: _changed(conversation, lambda content: _REASONING.sub("", content)),
    SORTS: sorted_names,
    EMPTY: _spoken,
}
