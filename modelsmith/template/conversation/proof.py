"""The conversations that a proof renders: of an edit of a template, and of its conversion to another language.

They are the named ones, all orders of few roles, and what templates are known to look at besides: calls where no named one has any,
identifiers of calls and results in another order, described parameters, an answer that has nothing in it yet. A conversion is proven with
system messages without text too; for edits these say nothing, because what stands beside a text that is not there is nowhere.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.message import Message
from modelsmith.template.conversation.named import NAMED

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def proof_conversations() -> Mapping[str, Conversation]:
    """Return the conversations that a proof renders, the smallest first (see the text of the module)."""
    found = {**NAMED, **_CALLING, **_IDENTIFIED, **_DESCRIBED, **_VALUED, **_UNSAID}
    orders = [
        order for length in (1, 2, 3) for order in product(("user", "assistant", "system", "tool"), repeat=length)
    ]
    for roles in (*orders, *((*order, "developer") for order in ((), ("user",), ("system", "user", "assistant")))):
        messages = tuple(Message(role, f"{role} {number}") for number, role in enumerate(roles))
        found[f"roles {', '.join(roles)}"] = Conversation(messages)
    return dict(sorted(found.items(), key=lambda item: _size(item[1])))


@cache
def conversion_conversations() -> Mapping[str, Conversation]:
    """Return the conversations that the proof of a conversion renders, the smallest first."""
    found = {**proof_conversations(), **_EMPTY, **_NINE}
    return dict(sorted(found.items(), key=lambda item: _size(item[1])))


def _size(conversation: Conversation) -> tuple[int, int]:
    text = sum(len(message.content) for message in conversation.turns)
    return len(conversation.turns) + len(conversation.tools), text


def _calling(*roles: str) -> Conversation:
    """Return a conversation in which each answer makes a call."""
    call = {"function": {"name": "tide", "arguments": {"harbour": "Brest"}}}
    messages = [
        {"role": role, "content": f"{role} {number}", **({"tool_calls": [call]} if role == "assistant" else {})}
        for number, role in enumerate(roles)
    ]
    return Conversation.from_dict({"messages": messages, "tools": NAMED["tools"].tools})


def _identified(*results: tuple[str, str], names: tuple[str, ...] = ("call_a", 'call "b"')) -> Conversation:
    """Return a conversation with calls that have identifiers (``names``), and results that name them: (identifier, text)."""
    calls = [{"id": name, "function": {"name": "tide", "arguments": {"harbour": name}}} for name in names]
    messages = [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        *({"role": "tool", "content": text, "tool_name": "tide", "tool_call_id": name} for name, text in results),
    ]
    return Conversation.from_dict({"messages": messages, "tools": NAMED["tools"].tools})


def _twice_called() -> Conversation:
    """Return a conversation of two rounds of calls: a question between results, one result of no call, all in another order."""
    first = _identified(('call "b"', "7:10"), ("call_c", "never"), ("call_a", "6:40")).to_dict()
    again = _identified(('call "b"', "8:10"), ("call_a", "7:40")).to_dict()["messages"]
    said: list[Any] = first["messages"]
    said.insert(3, {"role": "user", "content": "Still there?"})
    return Conversation.from_dict(first | {"messages": [*said, {"role": "assistant", "content": "At 6:40."}, *again]})


_IDENTIFIED = {
    "calls with identifiers": _identified(("call_a", "6:40"), ('call "b"', "7:10")),
    "results in another order": _identified(('call "b"', "7:10"), ("call_a", "6:40")),
    "one result twice": _identified(("call_a", "6:40"), ("call_a", "6:41"), ('call "b"', "7:10")),
    "one result again behind another": _identified(("call_a", "6:40"), ('call "b"', "7:10"), ("call_a", "6:41")),
    "results of two rounds in another order": _twice_called(),
}
"""Results are told apart, counted and put in order by the identifiers of their calls."""


_CALLING = {
    f"calls {', '.join(roles)}": _calling(*roles)
    for roles in (
        ("assistant", "user"),
        ("user", "assistant", "user"),
        ("system", "assistant", "tool"),
        ("user", "assistant", "tool", "assistant", "tool"),
    )
}
"""Where a call stands first, without a result, or after one: orders that the named conversations do not have."""


def _silent(conversation: Conversation) -> Conversation:
    """Return the conversation behind a system message without text, which some clients send."""
    request = conversation.to_dict()
    return Conversation.from_dict(request | {"messages": [{"role": "system", "content": ""}, *request["messages"]]})


def _described(*kinds: str) -> Conversation:
    """Return a conversation with a tool that has a parameter of each type, all of them described."""
    properties = {kind: {"type": kind, "description": f"a {kind}"} for kind in kinds}
    function = {
        "name": "book",
        "description": "Book a crossing",
        "parameters": {"type": "object", "required": [kinds[0]], "properties": properties},
    }
    asked = {"role": "user", "content": "Book it."}
    return Conversation.from_dict({"messages": [asked], "tools": [{"type": "function", "function": function}]})


def _valued(**arguments: Any) -> Conversation:
    """Return a conversation with a call that has these arguments."""
    call = {"function": {"name": "ferry", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "Book it."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "Done.", "tool_name": "ferry"},
    ]
    return Conversation.from_dict({"messages": messages, "tools": NAMED["complex-tools"].tools[:1]})


_VALUED = {
    "texts as arguments": _valued(day='two\nlines & "quotes" <b>', deck="", price="é"),
    "a line break as an argument": _valued(day="two\nlines"),
    "an ampersand as an argument": _valued(day="a & b"),
    "a tag as an argument": _valued(day="a <b>"),
    "values as arguments": _valued(cabin=False, car={}, day=None, deck=-2.5, passengers=[], price=0),
    "nested arguments": _valued(car={"a": {"b": [1, {"c": None}]}, "d": ""}, passengers=[["x"], "<y>", {"z": True}]),
}
"""Some templates write arguments by their kinds, and look for what would end a tag."""


_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_DESCRIBED = {
    "parameters of each type": _described(*_TYPES),
    "parameters of each type and null": _described(*_TYPES, "null"),
}
"""Some templates refuse a parameter without a description."""


_UNSAID = {
    f"unsaid {name}": Conversation.from_dict(
        request | {"messages": [*request["messages"], {"role": "assistant", "content": ""}]}
    )
    for name in ("user", "system-turns", "tool-result", "only-system", "empty")
    if (request := NAMED[name].to_dict())
}
"""An answer that has nothing in it yet: llama-server shows neither it nor what opens it."""


_EMPTY = {f"empty system, {name}": _silent(NAMED[name]) for name in ("user", "turns", "tools", "tool-answer")}

_NINE = {
    "calls with identifiers of nine letters": _identified(
        ("abcdefghi", "6:40"), ("123456789", "7:10"), names=("abcdefghi", "123456789")
    ),
    "one call with an identifier of nine letters": _identified(("abcdefghi", "6:40"), names=("abcdefghi",)),
}
"""Mistral's templates refuse all other identifiers."""
