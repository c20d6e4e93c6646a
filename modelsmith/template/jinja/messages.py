"""A conversation as the Jinja template of a GGUF sees it when Ollama hands the chat to llama-server.

Ollama sends each message with its role, content, name and calls, but not its thinking; llama-server rebuilds messages
and tools from that, in its own order. Arguments of a call travel as a JSON text.

Source: Ollama llm/llama_server.go (llamaServerChatMessage) and api/types.go; llama.cpp common/chat.cpp.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.gojson import GoStruct, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_MARKER = "<__media__>"
"""What llama-server puts where an image belongs."""

Message = dict[str, Any]


def messages_for(conversation: Mapping[str, Any], *, reasoning: bool = False) -> list[Message]:
    """Return the messages of an ``/api/chat`` request as llama-server rebuilds them.

    A bare ``prompt`` is one user message, as in ``/api/generate``. ``reasoning`` also passes each message's thinking on
    as ``reasoning_content``, which other servers do and Ollama does not.
    """
    messages = conversation.get("messages") or []
    if not messages and conversation.get("prompt"):
        messages = [{"role": "user", "content": conversation["prompt"]}]
    return [_message(message, reasoning=reasoning) for message in messages]


def tools_for(conversation: Mapping[str, Any]) -> list[Message]:
    """Return the tools of an ``/api/chat`` request as llama-server rebuilds them."""
    return [_tool(tool.get("function") or {}) for tool in conversation.get("tools") or []]


def _message(message: Mapping[str, Any], *, reasoning: bool) -> Message:
    content: Any = message.get("content") or ""
    if len(message) == 2 and "role" in message and "content" in message:
        return {"role": message["role"], "content": content}
    if message.get("images"):
        texts = [{"type": "text", "text": content}] if content else []
        content = [*texts, *({"type": "media_marker", "text": MEDIA_MARKER} for _ in message["images"])]
    built: Message = {"role": message.get("role", ""), "content": content}
    if reasoning and message.get("thinking"):
        built["reasoning_content"] = message["thinking"]
    for key, source in (("name", "tool_name"), ("tool_call_id", "tool_call_id")):
        if message.get(source):
            built[key] = message[source]
    if message.get("tool_calls"):
        built["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    return built


def _call(call: Mapping[str, Any]) -> Message:
    function = call.get("function") or {}
    arguments = encode(GoStruct(function.get("arguments") or {}))
    built: Message = {"type": "function", "function": {"name": function.get("name", ""), "arguments": arguments}}
    return {**built, "id": call["id"]} if call.get("id") else built


def _tool(function: Mapping[str, Any]) -> Message:
    given = function.get("parameters") or {}
    parameters = GoStruct(type=given.get("type") or "")
    for key in ("$defs", "items", "required"):
        if given.get(key) is not None and (key != "required" or given[key]):
            parameters[key] = given[key]
    parameters["properties"] = _properties(given.get("properties"))
    return {
        "type": "function",
        "function": {
            "name": function.get("name", ""),
            "description": function.get("description") or "",
            "parameters": json.loads(encode(parameters)),
        },
    }


def _properties(properties: Mapping[str, Any] | None) -> GoStruct | None:
    if properties is None:
        return None
    return GoStruct((name, _property(value)) for name, value in properties.items())


def _property(value: Mapping[str, Any]) -> GoStruct:
    """Keep the fields that Ollama's API knows, in its order; it drops all others."""
    built = GoStruct()
    if value.get("anyOf"):
        built["anyOf"] = [_property(choice) for choice in value["anyOf"]]
    kind = value.get("type")
    if kind:
        built["type"] = kind[0] if isinstance(kind, list) and len(kind) == 1 else kind
    if value.get("items") is not None:
        built["items"] = value["items"]
    for key in ("description", "enum"):
        if value.get(key):
            built[key] = value[key]
    if value.get("properties") is not None:
        built["properties"] = _properties(value["properties"])
    if value.get("required"):
        built["required"] = value["required"]
    return built
