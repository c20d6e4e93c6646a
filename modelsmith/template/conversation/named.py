"""Conversations with a name: the shapes in which a template meets the world.

They are what edits are proven with and what is shown before and after. Each is one shape: who speaks last, whether tools,
reasoning or odd text are about. The questions asked of a conversation (does it open an assistant turn?) are here too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelsmith.template.conversation.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Mapping


def _message(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _said(*contents: str) -> list[dict[str, Any]]:
    """Let user and assistant speak in turn, the user first."""
    return [_message(("user", "assistant")[number % 2], content) for number, content in enumerate(contents)]


def _called(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def _tool(name: str, description: str, required: list[str], **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "required": required, "properties": properties}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


_TIDE = _tool(
    "tide",
    "When the sea is high at a harbour",
    ["harbour"],
    harbour={"type": "string", "description": 'Its name, e.g. "Saint-Malo" & others <as on the map>'},
    unit={"type": "string", "enum": ["metre", "foot"]},
)
_CLOCK = _tool("clock", "The time of day", [])
_FERRY = _tool(
    "ferry",
    "Book a crossing",
    ["passengers", "day"],
    passengers={"type": "array", "items": {"type": "string"}},
    day={"type": ["string", "null"], "description": "ISO 8601"},
    price={"type": "number"},
    cabin={"type": "boolean"},
    deck={"anyOf": [{"type": "string"}, {"type": "integer"}]},
    car={"type": "object", "properties": {"length": {"type": "integer"}, "plate": {"type": "string"}}},
)
_ASKED = _message("user", "When is high water at Brest?")
_ASKS_TIDE = _message("assistant", "", tool_calls=[_called("tide", harbour="Brest")])
_TIDE_IS = _message("tool", "6:40 & 19:05 <±5 min>", tool_name="tide")
_SYSTEM = _message("system", "You are a pilot. Answer in one line.")
_ODD = (
    "  two spaces before\n\nan empty line\r\n\ta tab, <b>&amp;</b>, \"double\", 'single', `back`, "
    "{{ .Prompt }} {% if %} {# #} \\n ${x} 100 % ｜▁ ñ 日本語 👩🏽‍🚀 \u2028end "
)

_SHAPES: dict[str, dict[str, Any]] = {
    "user": {"messages": _said("What is a neap tide?")},
    "system-user": {"messages": [_SYSTEM, *_said("What is a neap tide?")]},
    "turns": {"messages": _said("Hello.", "Good morning!", "Which way to the harbour?")},
    "system-turns": {"messages": [_SYSTEM, *_said("Hello.", "Good morning!", "Which way to the harbour?")]},
    "many-turns": {"messages": _said(*(f"{'question' if n % 2 == 0 else 'answer'} {n // 2 + 1}" for n in range(15)))},
    "two-systems": {"messages": [_SYSTEM, _message("system", "Speak French."), *_said("Good morning.")]},
    "system-in-the-middle": {"messages": [*_said("Hello.", "Hello!"), _message("system", "Be brief."), *_said("So?")]},
    "only-system": {"messages": [_SYSTEM]},
    "users-in-a-row": {
        "messages": [*_said("Wait."), *_said("One more thing.", "Yes?"), *_said("It rains."), *_said("A lot.")]
    },
    "assistants-in-a-row": {
        "messages": [*_said("Go on.", "First."), _message("assistant", "Second."), *_said("Third?")]
    },
    "empty-user": {"messages": [_message("user", "")]},
    "empty-assistant": {"messages": _said("Say nothing.", "", "Thank you.")},
    "odd-text": {"messages": [_message("system", _ODD), *_said(_ODD, _ODD, _ODD)]},
    "prefill": {"messages": _said("Count to five.", "One, two,")},
    "system-prefill": {"messages": [_SYSTEM, *_said("Count to five.", "One, two,")]},
    "prefill-alone": {"messages": [_message("assistant", "Once upon a time")]},
    "think-in-content": {"messages": _said("Why?", "<think>\nhm\n</think>\n\nBecause.", "Really?")},
    "thinking-history": {
        "messages": [*_said("Why?"), _message("assistant", "Because.", thinking="It is the moon."), *_said("Really?")]
    },
    "thinking-last": {"messages": [*_said("Why?"), _message("assistant", "Because", thinking="It is the moon.")]},
    "thinking-only-last": {"messages": [*_said("Why?"), _message("assistant", "", thinking="It is the")]},
    "tools": {"messages": [_ASKED], "tools": [_TIDE]},
    "system-tools": {"messages": [_SYSTEM, _ASKED], "tools": [_TIDE, _CLOCK]},
    "complex-tools": {"messages": _said("Book the ferry."), "tools": [_FERRY, _CLOCK, _TIDE]},
    "tool-call": {"messages": [_ASKED, _ASKS_TIDE], "tools": [_TIDE]},
    "tool-result": {"messages": [_ASKED, _ASKS_TIDE, _TIDE_IS], "tools": [_TIDE]},
    "tool-answer": {
        "messages": [_ASKED, _ASKS_TIDE, _TIDE_IS, _message("assistant", "At 6:40."), *_said("Thank you.")],
        "tools": [_TIDE],
    },
    "parallel-tools": {
        "messages": [
            *_said("When, and what time is it?"),
            _message(
                "assistant",
                "I look.",
                thinking="Two calls.",
                tool_calls=[_called("tide", harbour="Brest", unit="foot"), _called("clock")],
            ),
            _TIDE_IS,
            _message("tool", "noon", tool_name="clock"),
        ],
        "tools": [_TIDE, _CLOCK],
    },
    "odd-arguments": {
        "messages": [
            *_said("Book it."),
            _message(
                "assistant",
                "",
                tool_calls=[
                    _called(
                        "ferry",
                        passengers=["Zoë", 'O\'Neill <captain> & "crew"'],
                        day=None,
                        price=12.5,
                        cabin=True,
                        deck=3,
                        car={"plate": "B-42", "length": 4},
                    )
                ],
            ),
            _message("tool", "", tool_name="ferry"),
        ],
        "tools": [_FERRY],
    },
    "image": {"messages": [_message("user", "What is this?", images=["iVBORw0KGgo="])]},
    "prompt": {"messages": [], "prompt": "What is a neap tide?"},
    "suffix": {"messages": [], "prompt": "def tide(day):\n    ", "suffix": "\n    return height\n"},
    "empty": {"messages": []},
}

NAMED: Mapping[str, Conversation] = MappingProxyType(
    {name: Conversation.from_dict(shape) for name, shape in _SHAPES.items()}
)
"""Our conversations by name, the simplest first."""


def opens_assistant_turn(conversation: Conversation) -> bool:
    """Say whether the assistant speaks next: the last message is a user's or a tool's, or there is only a prompt."""
    return not is_suffix(conversation) and _last_role(conversation) in {"user", "tool"}


def is_prefill(conversation: Conversation) -> bool:
    """Say whether the assistant has begun to speak and shall go on: the last message is its own."""
    return not is_suffix(conversation) and _last_role(conversation) == "assistant"


def is_suffix(conversation: Conversation) -> bool:
    """Say whether this is a text to be filled in, not a chat."""
    return bool(conversation.prompt and conversation.suffix)


def has_tools(conversation: Conversation) -> bool:
    """Say whether the model is offered tools."""
    return bool(conversation.tools)


def has_thinking(conversation: Conversation) -> bool:
    """Say whether any message carries reasoning of its own (not inside its content)."""
    return any(message.thinking for message in conversation.turns)


def last_assistant_thinks(conversation: Conversation) -> bool:
    """Say whether the last message of the assistant carries reasoning; a new ``.Thinking`` block may show only that."""
    spoken = [message for message in conversation.turns if message.role == "assistant"]
    return bool(spoken and spoken[-1].thinking)


def _last_role(conversation: Conversation) -> str:
    return conversation.turns[-1].role if conversation.turns else ""
