"""Where in a prompt a text can be put, by name, and what a prompt has to look like when it stands there.

A position is told by the messages: right before or right behind the text of a system, user's or assistant's message, inside
its turn. Where that is in a prompt is found with marks: the same conversation with a mark beside those texts renders as
before but for the marks, and each mark shows a place. Neighbours of one role are one message, as Ollama merges them; a system
text that a template shows as a whole (``.System``) is one text. Source: Ollama template/template.go (collate, Execute).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import InjectionError
from modelsmith.memo import Same, remembered
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.conversation.named import is_suffix
from modelsmith.template.jinja.messages import MEDIA_MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelsmith.template.conversation.conversation import Conversation

    Prompt: TypeAlias = Callable[[Conversation], str | None]
    """Renders a conversation; None where that fails."""

GENERATION_PROMPT = "generation-prompt"
START = "start"
MARK = "xq7zAMark7qx"
"""A text that no template contains, and no function of a template escapes."""

_BOS = regex(
    r"\s*(?:<s>|<bos>|\[BOS\]|<\|begin_?of_?(?:text|sentence)\|>|<｜begin▁of▁sentence｜>|<\|startoftext\|>|<BOS_TOKEN>"
    r"|\[gMASK\](?:<sop>)?|<\|START_OF_TEXT\|>)+"
)


_BEFORE_MEDIA = regex(f"{MARK}((?:{re.escape(MEDIA_MARKER)})+)")
_TURNS = frozenset({"system", "user", "assistant"})


@dataclass(frozen=True, slots=True)
class Position:
    """A place beside the messages of ``role``: ``behind`` their texts or before them; ``last``: of the last such message."""

    name: str
    role: str
    behind: bool
    last: bool = False

    @property
    def past_only(self) -> bool:
        """Whether an answer that is only begun is not meant: nothing may stand behind it."""
        return self.behind and self.role == "assistant"

    @staticmethod
    def of(name: str) -> Position:
        """Return the position of this name; raises InjectionError for one that is not known."""
        if name in POSITIONS:
            return POSITIONS[name]
        known = ", ".join(NAMES)
        raise InjectionError(
            f'"{name}" is no place for an injection{did_you_mean(name, NAMES)}', hint=f"use one of {known}"
        )

    @property
    def what(self) -> str:
        """Say in words what it stands beside."""
        return "the system text" if self.role == "system" else f"the texts of the {self.role}'s messages"


def _positions() -> Iterator[Position]:
    for side in ("before", "after"):
        for role in ("system", "user", "last-user", "assistant"):
            yield Position(
                f"{side}-{role}", role.removeprefix("last-"), behind=side == "after", last=role.startswith("last-")
            )


POSITIONS: Mapping[str, Position] = {position.name: position for position in _positions()}
"""The positions beside messages."""

NAMES = (START, *POSITIONS, GENERATION_PROMPT)
"""All positions: the beginning of a chat's prompt, those beside messages, the end of the generation prompt."""


def check_place(at: str) -> None:
    """Raise InjectionError for a position that is not known."""
    if at not in (START, GENERATION_PROMPT):
        Position.of(at)


def after_bos(prompt: str) -> int:
    """Return where a prompt begins: behind the BOS token if the template itself prints one."""
    found = _BOS.match(prompt)
    return found.end() if found else 0


def marked_prompts(
    render: Prompt, talk: Conversation, position: Position, *, merged: bool, begun: bool = True
) -> Iterator[str]:
    """Yield prompts of a conversation with marks where a text at the position may stand; nothing where that is not known.

    It is not where the prompt depends on the text itself: an empty message that is left out. ``merged``: neighbours of one
    role are one message; ``begun``: a last message of the assistant is an answer that goes on.
    """
    was = render(talk)
    for variant in _variants(talk, position, merged, begun):
        prompt = was if variant is talk else render(variant)
        if prompt is not None and was is not None and _unspaced(prompt.replace(MARK, "")) == _unspaced(was):
            yield prompt
            yield _joined_once(prompt, variant, position)
            yield _BEFORE_MEDIA.sub(r"\1" + MARK, prompt)


def is_inserted(
    render: Prompt,
    talk: Conversation,
    position: Position,
    text: str,
    now: str,
    *,
    merged: bool = True,
    begun: bool = True,
) -> bool:
    """Say whether ``now`` is the conversation's prompt with the text at the position, and nothing else."""
    known = list(marked_prompts(render, talk, position, merged=merged, begun=begun))
    if known:
        return any(now == prompt.replace(MARK, text) for prompt in known)
    return now.replace(text, "") == (render(talk) or "").replace(text, "")


def has_text(prompt: str, position: Position, text: str) -> bool:
    """Say whether the text stands at every mark of a prompt already."""
    places = [place.start() for place in re.finditer(MARK, prompt)]
    if position.behind:
        return all(prompt.startswith(text, place + len(MARK)) for place in places)
    return all(prompt.endswith(text, 0, place) for place in places)


def _unspaced(prompt: str) -> str:
    """Return a prompt without white space: some templates trim it at the ends of messages, where a mark keeps it."""
    return "".join(prompt.split())


def _joined_once(prompt: str, variant: Conversation, position: Position) -> str:
    """Return the prompt with one mark where all system texts are shown as one."""
    system = variant.collated[0] if position.role == "system" else ""
    if system.count(MARK) < 2:
        return prompt
    return prompt.replace(system, _beside(system.replace(MARK, ""), behind=position.behind))


def _variants(talk: Conversation, position: Position, merged: bool, begun: bool) -> tuple[Conversation, ...]:
    """Return what ``_marked`` does, the same values each time: renderings are remembered by their conversations."""
    key = ("marked", Same(talk), position, merged, begun)
    return remembered(key, lambda: _marked(talk, position, merged, begun))


def _marked(talk: Conversation, position: Position, merged: bool, begun: bool) -> tuple[Conversation, ...]:
    """Return the conversation with marks at all messages that are meant, and at the outer one of several system messages."""
    if is_suffix(talk):
        return (talk,)
    messages = talk.collated[1] if merged else talk.turns
    meant = [number for number, message in enumerate(messages) if message.role == position.role]
    if (
        begun
        and (position.past_only or not merged)
        and meant[-1:] == [len(messages) - 1]
        and position.role == "assistant"
    ):
        meant.pop()  # begun: nothing may stand behind it, and llama-server puts it behind the prompt itself
    meant = meant[-1:] if position.last else meant
    filled = [number for number in meant if messages[number].content]
    outer = filled[-1:] if position.behind else filled[:1]
    choices = [meant, filled, outer] if position.role == "system" else [meant, filled]
    if position.past_only and meant and not any(message.role in _TURNS for message in messages[meant[-1] + 1 :]):
        choices += [meant[:-1]]  # a template of the old style gets no others: the answer is only begun there
    found = []
    for chosen in choices:
        marked = tuple(
            replace(message, content=_beside(message.content, behind=position.behind)) if number in chosen else message
            for number, message in enumerate(messages)
        )
        variant = replace(talk, prompt="", messages=marked) if chosen else talk
        if variant not in found:
            found.append(variant)
    return tuple(found)


def _beside(content: str, *, behind: bool) -> str:
    return content + MARK if behind else MARK + content
