from __future__ import annotations

import json

from modelsmith.template.conversation.named import NAMED
from modelsmith.template.jinja.messages import messages_for, tools_for


def test_messages_carry_what_ollama_sends_in_the_order_of_llama_server() -> None:
    user, calling, result, *_ = messages_for(NAMED["tool-answer"].to_dict())
    assert user == {"role": "user", "content": "When is high water at Brest?"}
    assert json.dumps(calling) == (
        '{"role": "assistant", "content": "", "tool_calls": [{"type": "function", '
        '"function": {"name": "tide", "arguments": "{\\"harbour\\":\\"Brest\\"}"}}]}'
    )
    assert list(result) == ["role", "content", "name"]


def test_arguments_are_a_json_text_with_gos_escapes() -> None:
    _, calling, _ = messages_for(NAMED["odd-arguments"].to_dict())
    arguments = calling["tool_calls"][0]["function"]["arguments"]
    assert arguments.startswith('{"passengers":["Zoë","O\'Neill \\u003ccaptain\\u003e \\u0026 \\"crew\\""],"day":null')
    assert arguments.endswith('"car":{"length":4,"plate":"B-42"}}')


def test_tools_keep_the_fields_and_the_order_of_ollamas_api() -> None:
    ferry, clock, _ = tools_for(NAMED["complex-tools"].to_dict())
    assert list(ferry["function"]) == ["name", "description", "parameters"]
    assert list(ferry["function"]["parameters"]) == ["type", "required", "properties"]
    assert list(ferry["function"]["parameters"]["properties"]) == ["passengers", "day", "price", "cabin", "deck", "car"]
    assert ferry["function"]["parameters"]["properties"]["day"] == {
        "type": ["string", "null"],
        "description": "ISO 8601",
    }
    assert clock["function"]["parameters"] == {"type": "object", "properties": {}}


def test_unknown_fields_of_a_property_are_dropped() -> None:
    properties = {
        "a": {"minimum": 1, "type": ["integer"], "enum": []},
        "b": {"items": {"z": 1, "a": 2.0}, "required": ["c"]},
    }
    tool = {
        "type": "function",
        "function": {"name": "n", "parameters": {"$defs": {"y": 1, "b": 2}, "properties": properties}},
    }
    (built,) = tools_for({"tools": [tool]})
    assert json.dumps(built["function"]) == (
        '{"name": "n", "description": "", "parameters": {"type": "", "$defs": {"b": 2, "y": 1}, "properties": '
        '{"a": {"type": "integer"}, "b": {"items": {"a": 2, "z": 1}, "required": ["c"]}}}}'
    )
    (bare,) = tools_for({"tools": [{"type": "function", "function": {"name": "n"}}]})
    assert bare["function"]["parameters"] == {"type": "", "properties": None}
