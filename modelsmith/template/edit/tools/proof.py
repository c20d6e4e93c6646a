"""Prove that a template got an honest tool round trip and nothing else changed.

Conversations without tools render as before, to the byte; those with tools show every tool, call and result, in order and
once; the turn after a result opens as the family does it; Ollama finds the tools, the round trip and the tag of the calls.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.go.generation import generation_prompt
from modelsmith.template.edit.prove import Renderings, failed, prove, same_prompt
from modelsmith.template.effective.capabilities import go_capabilities, go_tool_round_trip
from modelsmith.template.go.tool_tag import tool_call_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.tools.families import Family
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate


def _tool(name: str, description: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _call(name: str, place: str) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": {"place": place}}}


_TOOLS = [_tool("tide_tables", "when the sea is high"), _tool("ferry_times", "when a ship leaves")]
_LISTED = ("tide_tables", "when the sea is high", "ferry_times", "when a ship leaves")
_SYSTEM = {"role": "system", "content": "You are a pilot."}
_ASKS = {"role": "user", "content": "How do I get over?"}
_CALLS = {
    "role": "assistant",
    "content": "I look it up.",
    "thinking": "Two of them.",
    "tool_calls": [_call("tide_tables", "Roscoff"), _call("ferry_times", "Plymouth")],
}
_NAME = "ferry_times"
_SILENT = {"role": "assistant", "content": "", "tool_calls": [_call(_NAME, "Dover")]}
_HIGH, _LEAVES = ({"role": "tool", "content": text, "tool_name": "x"} for text in ("high at 6:40", "leaves at 9:15"))
_ANSWERS = {"role": "assistant", "content": "Take the early one."}
_THANKS = {"role": "user", "content": "Thank you."}
_CALLED = ("tide_tables", "Roscoff", "ferry_times", "Plymouth")
_ROUND = ("How do I get over?", "I look it up.", *_CALLED, "high at 6:40", "leaves at 9:15")

_SHOWN: tuple[tuple[list[dict[str, Any]], bool, tuple[str, ...]], ...] = (
    ([_ASKS], True, (*_LISTED, "How do I get over?")),
    ([_SYSTEM, _ASKS], True, ("You are a pilot.", *_LISTED, "How do I get over?")),
    ([_ASKS, _SILENT, _LEAVES], True, (*_LISTED, "How do I get over?", "ferry_times", "Dover", "leaves at 9:15")),
    ([_ASKS, _CALLS, _HIGH, _LEAVES], True, (*_LISTED, *_ROUND)),
    ([_ASKS, _CALLS, _HIGH, _LEAVES], False, _ROUND),
    (
        [_SYSTEM, _ASKS, _CALLS, _HIGH, _LEAVES, _ANSWERS, _THANKS, _SILENT, _HIGH],
        True,
        (
            "You are a pilot.",
            *_LISTED,
            *_ROUND,
            "Take the early one.",
            "Thank you.",
            "ferry_times",
            "Dover",
            "high at 6:40",
        ),
    ),
)


def has_tool_parts(conversation: Conversation) -> bool:
    """Say whether tools, calls or results are about in a conversation."""
    return bool(conversation.tools) or any(
        message.role == "tool" or message.tool_calls for message in conversation.turns
    )


def prove_tools(before: Renderings, after: Template, family: Family) -> None:
    """Raise InjectionError where the template with tools is not what it should be."""
    _prove_reading(before.template, after, family)
    rendered = Renderings(after)
    plain = {name: talk for name, talk in proof_conversations().items() if not has_tool_parts(talk)}
    prove(before, rendered, same_prompt, plain)
    for name, talk in proof_conversations().items():
        if has_tool_parts(talk) and not before(talk).error and rendered(talk).error:
            raise InjectionError(f'conversation "{name}" would fail: {rendered(talk).error}')
    _in_turn(after)
    for think in THINKS:
        generation = generation_prompt(before.template, think)
        for messages, with_tools, shown in _SHOWN:
            given = {"messages": messages, **({"tools": _TOOLS} if with_tools else {})}
            prompt = after.render(Conversation.from_dict(given), think)
            told = [text for text in shown if text != _SYSTEM["content"] or _shows_system(before, messages)]
            if family.before_last_user and with_tools:
                _in_order(prompt, [text for text in told if text == _SYSTEM["content"]])
                told = _tools_late(told, messages)
            _in_order(prompt, told)
            if messages[-1]["role"] == "tool":
                _opens(prompt.rpartition(messages[-1]["content"])[2], generation, family)


def _shows_system(before: Renderings, messages: list[dict[str, Any]]) -> bool:
    """Say whether the template shows the system text in a conversation, calls and results aside."""
    spoken = [
        {"role": message["role"], "content": message["content"] or "…"}
        for message in messages
        if message["role"] != "tool"
    ]
    return _SYSTEM["content"] in (before(Conversation.from_dict({"messages": spoken})).prompt)


def _tools_late(shown: list[str], messages: list[dict[str, Any]]) -> list[str]:
    """Return the texts in order where the tools stand right before the last user's; the system text may stand anywhere."""
    last = [message["content"] for message in messages if message["role"] == "user"][-1]
    moved = [text for text in shown if text in _LISTED][: len(_LISTED)]
    rest = [text for text in shown if text != _SYSTEM["content"]][len(moved) :]
    place = rest.index(last)
    return [*rest[:place], *moved, *rest[place:]]


def check_tool_format(after: Template, chat_template: ChatTemplate, family: Family) -> None:
    """Raise InjectionError where the chat template writes tools in another format.

    Every format token that it prints for a conversation with tools stands in the Go template's prompt too, in the same
    order. The Go template may have more: each result in a turn of its own, the tokens that explain the format, ends that
    some chat templates forget. Conversations that the chat template refuses do not count.
    """
    tokens = re.compile("|".join(map(re.escape, sorted(family.tokens, key=len, reverse=True))))
    called = _rendered(chat_template, Conversation.from_dict({"messages": [_ASKS, _SILENT, _HIGH]})) or ""
    others = [text.replace("NAME", _NAME) for text in family.others]
    alike = all(sign in called for sign in family.signs) and not any(text in called for text in others)
    if "Dover" in called and not alike:
        raise InjectionError(
            f"the chat template in the GGUF writes calls in another format than {family.name}",
            hint="add the tools by hand, in the format that the chat template shows",
        )
    for name, talk in NAMED.items():
        if not talk.tools:
            continue
        wanted = _rendered(chat_template, talk)
        if wanted is not None and not _is_within(tokens.findall(wanted), tokens.findall(after.render(talk))):
            raise failed(
                name, None, wanted, after.render(talk), "the format tokens differ from those of the chat template"
            )


def _prove_reading(before: Template, after: Template, family: Family) -> None:
    tag = tool_call_tag(after.tree)
    for what, found, wanted in (
        ("the capabilities", go_capabilities(after), go_capabilities(before) | {"tools"}),
        ("the tool round trip", go_tool_round_trip(after), True),
        ("the way of rendering", after.is_legacy, False),
        ("the thinking tags", after.thinking_tags, before.thinking_tags),
        ("the tag of tool calls", tag, family.tag),
    ):
        if found != wanted:
            raise InjectionError(f"{what} that Ollama sees would be {found!r}, not {wanted!r}")


def _in_order(prompt: str, shown: list[str]) -> None:
    place = 0
    for text in shown:
        place = prompt.find(text, place)
        if place < 0 or prompt.count(text) != shown.count(text):
            state = "is missing or out of order" if place < 0 else f"stands there {prompt.count(text)} times"
            raise InjectionError(f"{text!r} {state} in the prompt of a conversation with tools")
        place += len(text)


def _in_turn(after: Template) -> None:
    """Check that calls stand inside the assistant's turn, where an answer would stand."""
    turn = {"role": "assistant", "content": "\u25b8an answer\u25c2"}
    opening, _, closing = after.render(Conversation.from_dict({"messages": [_ASKS, turn, _THANKS]})).partition(
        turn["content"]
    )
    prompt = after.render(Conversation.from_dict({"messages": [_ASKS, _SILENT, _THANKS]}))
    if not prompt.startswith(opening) or not prompt.endswith(closing):
        raise InjectionError(f"a call would not stand inside the assistant's turn: {prompt[len(opening) :]!r}")


def _opens(tail: str, generation: str, family: Family) -> None:
    """Check what follows a last result: the generation prompt, less the opening of a turn where the family goes on."""
    onward = (
        generation.replace(family.assistant, "", 1) if family.goes_on and family.assistant not in tail else generation
    )
    if family.user_end:  # nothing opens a turn: the model goes on behind the result
        onward = family.result[1] + generation.strip().removeprefix(family.user_end)
        tail = tail.strip()
    if not tail.endswith(onward):
        raise InjectionError(f"after a tool's result stands {tail!r}, which does not end with {onward!r}")


def _rendered(chat_template: ChatTemplate, conversation: Conversation, think: Think = None) -> str | None:
    try:
        return chat_template.render(conversation, think)
    except TemplateRenderError:
        return None


def _is_within(part: Iterable[str], whole: Iterable[str]) -> bool:
    rest: Iterator[str] = iter(whole)
    return all(any(token == other for other in rest) for token in part)
