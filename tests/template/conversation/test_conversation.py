"""Conversations are read as Ollama reads a request, and say where one is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from modelsmith.errors import ModelsmithError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.message import Message, ToolCall, collate


def read(**request: Any) -> Conversation:
    return Conversation.from_dict(request)


def test_a_request() -> None:
    conversation = read(
        messages=[
            {"role": "User", "content": "hi", "images": ["AAEC"], "unknown": 1},
            {
                "ROLE": "assistant",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"b": 1, "a": None}}}],
            },
        ],
        tools=[{"type": "function", "function": {"name": "f", "strict": True}}],
    )
    assert conversation.messages == (
        Message("user", "hi", images=(b"\0\1\2",)),
        Message("assistant", tool_calls=(ToolCall("f", {"b": 1, "a": None}, id="c"),)),
    )
    assert conversation.tools == (
        {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": ""}}},
    )
    assert (conversation.prompt, conversation.suffix) == ("", "")


def test_null_is_empty() -> None:
    conversation = read(
        messages=[None, {"role": None, "content": None, "images": None, "tool_calls": None}], tools=None, prompt=None
    )
    assert conversation.messages == (Message(""), Message(""))
    assert not conversation.has_tools


def test_to_dict_reads_back() -> None:
    request = {
        "messages": [
            {"role": "user", "content": "x", "images": ["iVBORw0K"]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "t",
                "tool_calls": [{"function": {"name": "f", "arguments": {"n": 1}}}],
            },
            {"role": "tool", "content": "r", "tool_name": "f", "tool_call_id": "c"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": {
                        "type": "object",
                        "properties": {"z": {"type": "string"}, "a": {"anyOf": [{"type": ["string", "null"]}]}},
                    },
                },
            }
        ],
        "suffix": "s",
    }
    conversation = Conversation.from_dict(request)
    assert conversation.to_dict() == request
    assert Conversation.from_dict(conversation.to_dict()) == conversation


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"messages": {}}, "messages is an object, not a list"),
        ({"messages": [3]}, "messages[0] is a number, not an object"),
        ({"messages": [{}, {"role": 3}]}, "messages[1].role is a number, not a text"),
        ({"messages": [{"content": ["a"]}]}, "messages[0].content is a list, not a text"),
        ({"messages": [{"content": True}]}, "messages[0].content is true or false, not a text"),
        ({"messages": [{"images": ["AAEC="]}]}, "messages[0].images[0] is not base64"),
        ({"messages": [{"images": "AAEC"}]}, "messages[0].images is a text, not a list"),
        ({"messages": [{"tool_calls": [{"function": {"arguments": "{}"}}]}]}, "messages[0].tool_calls[0].function.arguments is a text, not an object"),
        ({"messages": [{"tool_calls": [{"function": {"index": 1.5}}]}]}, "messages[0].tool_calls[0].function.index is a number, not a whole number"),
        ({"messages": [{"tool_calls": [{"function": {"arguments": {"x": [float("inf")]}}}]}]}, "messages[0].tool_calls[0].function.arguments.x[0] is a number beyond the range of a float64"),
        ({"messages": [{"tool_calls": [{"function": {"arguments": {"x": {1, 2}}}}]}]}, "messages[0].tool_calls[0].function.arguments.x is a Python set, not a JSON value"),
        ({"tools": [{"function": {"parameters": {"properties": []}}}]}, "tools[0].function.parameters.properties is a list, not an object"),
        ({"tools": [{"function": {"parameters": {"properties": {"a": {"type": 1}}}}}]}, "tools[0].function.parameters.properties.a.type is a number, not a list"),
        ({"tools": [{"function": {"parameters": {"required": [1]}}}]}, "tools[0].function.parameters.required[0] is a number, not a text"),
        ({"prompt": 1}, "prompt is a number, not a text"),
        ([], "conversation is a list, not an object"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_named_with_its_place(request_: Any, message: str) -> None:
    with pytest.raises(ModelsmithError) as caught:
        Conversation.from_dict(request_)
    assert str(caught.value) == message


def test_depth_is_bounded() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    for request in (
        {"messages": [{"tool_calls": [{"function": {"arguments": {"x": deep}}}]}]},
        {"tools": [{"items": deep}]},
    ):
        with pytest.raises(ModelsmithError, match="nested more than 100 levels deep"):
            Conversation.from_dict(request)
    nested: Any = {}
    for _ in range(500):
        nested = {"properties": {"p": nested}}
    with pytest.raises(ModelsmithError, match="nested more than 100 levels deep"):
        read(tools=[{"function": {"parameters": nested}}])


def test_a_prompt_alone_is_a_message_of_the_user() -> None:
    assert read(prompt="p").turns == (Message("user", "p"),)
    assert read(prompt="p", messages=[{"role": "user", "content": "m"}]).turns == (Message("user", "m"),)


def test_collate() -> None:
    system, messages = collate(
        [
            Message("system", "s1"),
            Message("user", "a"),
            Message("user", "b", thinking="lost"),
            Message("tool", "1"),
            Message("tool", "2"),
            Message("system", "s2"),
        ]
    )
    assert system == "s1\n\ns2"
    assert messages == (
        Message("system", "s1"),
        Message("user", "a\n\nb"),
        Message("tool", "1"),
        Message("tool", "2"),
        Message("system", "s2"),
    )
