"""Whether a chat that grows stays a prefix of itself, so that a server need not read the beginning again.

After each turn a server holds the prompt and the model's answer in its cache, and reuses of it what the next prompt begins
with. A template breaks that if it writes the past differently than it was read: a date, a system prompt that moves along,
reasoning that is left out. White space inside an answer is the model's own and not compared.

Source: llama.cpp tools/server/server-context.cpp (cache_prompt: the longest common prefix is kept).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.conversation.thinking_split import is_primed
from modelsmith.template.jinja.engine.values.texts import shared_start

if TYPE_CHECKING:
    from modelsmith.template.conversation.think import Think

Render = Callable[[Conversation, "Think", date], str]
"""Renders a conversation under a ``think`` value on a day."""

PLACES = ("date", "history", "generation-prompt", "answer")
"""Where a prompt can part from what the cache holds; the dearest first."""

_CONTEXT = 24
_SYSTEM = {"role": "system", "content": "You are a pilot. Answer in one line."}
_TURNS = (
    ("Which way to the harbour?", "Down the hill, then left.", "They ask for directions."),
    ("How far is it?", "Ten minutes on foot.", "Walking is what they mean."),
    ("And by bicycle?", "Three minutes.", "A bicycle is three times as fast."),
)


@dataclass(frozen=True, slots=True)
class CacheBreak:
    """The first difference between what the cache holds and the next prompt.

    ``talk`` is the kind of chat, ``turn`` the question (from 1) whose prompt differs, ``shared`` how many characters are
    kept; ``before`` ends there, ``had`` is what the cache holds behind it and ``now`` what the next prompt has instead.
    """

    talk: str
    turn: int
    place: str
    cause: str
    shared: int
    before: str
    had: str
    now: str


@dataclass(frozen=True, slots=True)
class CacheCheck:
    """The kinds of chat that were tried, and the first difference of each kind, at the dearest place of its chat."""

    talks: tuple[str, ...]
    breaks: tuple[CacheBreak, ...]
    failures: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every prompt begins with all that was read and said before."""
        return bool(self.talks) and not self.breaks


@dataclass(frozen=True, slots=True)
class _Turn:
    """A prompt's messages, and what the model says to it: ``answer`` is as the client sends it back, ``raw`` as it is said."""

    messages: tuple[dict[str, Any], ...]
    raw: str
    thought: str = ""


def check_cache(
    render: Render,
    *,
    thinking_tags: tuple[str, str] = ("", ""),
    think: Think = None,
    tools: bool = False,
    today: date | None = None,
) -> CacheCheck:
    """Let chats grow and compare each prompt, and the answer to it, with the beginning of the next prompt.

    ``thinking_tags`` are the tags of a model that reasons, ``think`` the value for chats without reasoning; ``tools`` adds
    a chat with a tool call. Conversations that the template refuses are told in ``failures``.
    """
    day = today or datetime.now().astimezone().date()
    talks, breaks, failures = [], [], []
    for talk in _talks(thinking_tags, think, tools=tools):
        try:
            found = _differences(render, talk, thinking_tags, day)
        except TemplateRenderError as error:
            failures.append(f"{talk.name}: {error.message}")
            continue
        talks.append(talk.name)
        if found:
            breaks.append(min(found, key=lambda cache_break: (PLACES.index(cache_break.place), cache_break.turn)))
    return CacheCheck(tuple(talks), tuple(_distinct(breaks)), tuple(failures))


def _distinct(breaks: list[CacheBreak]) -> Iterator[CacheBreak]:
    """Yield the first of those that differ in the same way: one kind of chat tells enough."""
    seen: set[tuple[str, ...]] = set()
    for cache_break in breaks:
        kinds = {(cache_break.place, cache_break.cause), (cache_break.place, cache_break.had, cache_break.now)}
        if not kinds & seen:
            yield cache_break
        seen |= kinds


@dataclass(frozen=True, slots=True)
class _Talk:
    name: str
    turns: tuple[_Turn, ...]
    think: Think
    tools: tuple[dict[str, Any], ...] = ()

    def conversation(self, number: int) -> Conversation:
        """Return what is sent when turn ``number`` is asked."""
        return Conversation.from_dict({"messages": list(self.turns[number].messages), "tools": list(self.tools)})


def _talks(tags: tuple[str, str], think: Think, *, tools: bool) -> list[_Talk]:
    reasons = all(tags)
    talks = [
        _Talk("chat", _chat((), reasoning="none"), think),
        _Talk("chat with a system prompt", _chat((_SYSTEM,), reasoning="none"), think),
    ]
    if reasons:
        talks.append(_Talk("chat with reasoning", _chat((), reasoning="sent back"), True))
        talks.append(_Talk("chat with reasoning, not sent back", _chat((), reasoning="not sent back"), True))
    if tools:
        shape = NAMED["tool-answer"].to_dict()
        said = tuple(shape["messages"])
        turns = (_Turn(said[:1], ""), _Turn(said[:3], said[3]["content"]), _Turn(said, ""))
        talks.append(_Talk("chat with a tool call", turns, think, tuple(shape["tools"])))
    return talks


def _chat(before: tuple[dict[str, Any], ...], *, reasoning: str) -> tuple[_Turn, ...]:
    turns, messages = [], list(before)
    for question, answer, thought in _TURNS:
        messages.append({"role": "user", "content": question})
        turns.append(_Turn(tuple(messages), answer, "" if reasoning == "none" else thought))
        spoken = {"role": "assistant", "content": answer}
        messages.append({**spoken, "thinking": thought} if reasoning == "sent back" else spoken)
    return tuple(turns)


def _differences(render: Render, talk: _Talk, tags: tuple[str, str], day: date) -> list[CacheBreak]:
    prompts = [render(talk.conversation(number), talk.think, day) for number in range(len(talk.turns))]
    found = []
    tomorrow = render(talk.conversation(0), talk.think, day + timedelta(days=1))
    if tomorrow != prompts[0]:
        cause = "the prompt has the date in it"
        found.append(_break(talk, 1, "date", cause, prompts[0], tomorrow))
    for number, turn in enumerate(talk.turns[:-1]):
        prompt, following = prompts[number], prompts[number + 1]
        raw = turn.raw
        if turn.thought:
            opening, closing = tags
            opened = "" if is_primed(prompt, opening) else f"{opening}\n"
            raw = f"{opened}{turn.thought}\n{closing}\n\n{turn.raw}"
        if following.startswith(prompt):
            if not _squeezed(following[len(prompt) :]).startswith(_squeezed(raw)):
                cause = _answer_cause(turn, following[len(prompt) :], talk)
                found.append(_break(talk, number + 2, "answer", cause, prompt + raw, following))
            continue
        place, cause = _prompt_cause(turn, prompt, following)
        found.append(_break(talk, number + 2, place, cause, prompt + raw, following))
    return found


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _answer_cause(turn: _Turn, written: str, talk: _Talk) -> str:
    if turn.thought and turn.thought not in written:
        if "not sent back" in talk.name:
            return "the reasoning of past answers is gone: the client does not send it back, as `ollama run` does not"
        return "the history is shown without the reasoning of past answers"
    return "past answers are written differently from what the model said"


def _prompt_cause(turn: _Turn, prompt: str, following: str) -> tuple[str, str]:
    last = str(turn.messages[-1]["content"])
    shared = shared_start(prompt, following)
    asked = prompt.rfind(last)
    if asked >= 0 and shared >= asked + len(last):
        return "generation-prompt", "what opens the answer is not repeated in front of past answers"
    gone = [message for message in turn.messages if message["content"] and message["content"] not in following]
    if gone:
        return "history", f"an earlier message is dropped: {gone[0]['role']} {gone[0]['content']!r}"
    system = next((message["content"] for message in turn.messages if message["role"] == "system"), "")
    if system and prompt.find(system) != following.find(system):
        return "history", "the system prompt moves along with the last question"
    return "history", "earlier turns are written differently once others follow (the last question is a special one)"


def _break(talk: _Talk, turn: int, place: str, cause: str, had: str, now: str) -> CacheBreak:
    shared = shared_start(had, now)
    ends = slice(shared, shared + 2 * _CONTEXT)
    return CacheBreak(
        talk.name, turn, place, cause, shared, had[max(0, shared - _CONTEXT) : shared], had[ends], now[ends]
    )
