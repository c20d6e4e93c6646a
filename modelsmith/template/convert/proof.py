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
from itertools import combinations
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.proof import conversion_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.go.functions.ollama import today_is

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate


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

_REASONING = re.compile(r"<think>.*?</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A conversation that the two templates render differently; an error stands in place of the prompt."""

    name: str
    conversation: Conversation
    think: Think
    jinja: str
    go: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of comparing: names of equal conversations, the smallest that differs, limits met, kinds that were rendered."""

    covered: tuple[str, ...]
    counterexample: Counterexample | None
    limits: tuple[str, ...]
    kinds: frozenset[str] = frozenset()


class Reference:
    """What a Jinja template makes of a conversation once Ollama has merged it; each is rendered once."""

    def __init__(self, chat_template: ChatTemplate, bos_token: str = "", eos_token: str = "") -> None:
        self.chat_template = chat_template
        self._bos_token, self._eos_token = bos_token, eos_token
        self._known: dict[tuple[str, Think, datetime], str | TemplateRenderError] = {}
        self.thinks = any(name in chat_template.text for name in ("enable_thinking", "reasoning_effort"))
        self.opening = chat_template.reasoning.opening
        self.reasons = bool(self.opening) or "reasoning_content" in chat_template.text

    def __call__(self, conversation: Conversation, think: Think, now: datetime) -> str:
        """Return the prompt; raises TemplateRenderError where the template refuses."""
        merged = replace(conversation, messages=conversation.collated[1])
        key = (repr(merged), think if self.thinks else None, now)
        if key not in self._known:
            try:
                prompt = self.chat_template.render(
                    merged,
                    key[1],
                    bos_token=self._bos_token,
                    eos_token=self._eos_token,
                    reasoning_content=True,
                    now=now,
                )
            except TemplateRenderError as error:
                self._known[key] = error
            else:
                self._known[key] = prompt
        known = self._known[key]
        if isinstance(known, TemplateRenderError):
            raise known
        return known


def prove(reference: Reference, template: Template, *, tools: bool) -> Proof:
    """Compare over the conversations with or without tools, the smallest first."""
    covered: list[str] = []
    limits: dict[str, None] = {}
    first: Counterexample | None = None
    kinds: set[str] = set()
    for name, conversation in conversion_conversations().items():
        if not counts(conversation) or uses_tools(conversation) != tools:
            continue
        equal = 0
        for think in THINKS:
            pair = _pair(reference, template, conversation, think)
            if pair is None:
                continue
            kinds.update(kinds_of(conversation))
            met = () if pair[0] == pair[1] else _limits(reference, template, conversation, think)
            if met is None:
                first = first or Counterexample(name, conversation, think, *pair)
                break
            equal += 1
            limits.update(dict.fromkeys(met))
        else:
            covered += [name] if equal else []
    return Proof(tuple(covered), first, tuple(limits), frozenset(kinds))


def kinds_of(conversation: Conversation) -> frozenset[str]:
    """Return what is peculiar about a conversation, in the words of :data:`KINDS`."""
    roles = [message.role for message in conversation.collated[1]]
    found = {
        PAST: "assistant" in roles[:-1],
        BEGUN: roles[-1:] == ["assistant"],
        TOOLS: bool(conversation.tools),
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


def _pair(reference: Reference, template: Template, conversation: Conversation, think: Think) -> tuple[str, str] | None:
    """Return both prompts, or None where the Jinja template does not take the conversation."""
    try:
        wanted = reference(conversation, think, NOW)
    except TemplateRenderError:
        return None
    try:
        with today_is(NOW.date()):
            return wanted, template.render(conversation, think)
    except TemplateRenderError as error:
        return wanted, error.message


def _limits(
    reference: Reference, template: Template, conversation: Conversation, think: Think
) -> tuple[str, ...] | None:
    """Return the fewest limits that explain a difference: without what they speak of, the prompts are equal."""
    for count in range(1, len(_LIMITS) + 1):
        for limits in combinations(_LIMITS, count):
            changed = conversation
            for limit in limits:
                changed = _LIMITS[limit](changed)
            is_changed = repr(changed) != repr(conversation)  # mappings in another order are equal
            pair = _pair(reference, template, changed, think) if is_changed else None
            if pair is not None and pair[0] == pair[1]:
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
