"""How llama-server rewrites the messages of a chat for the templates of some families.

Source: llama.cpp common/chat.cpp (common_chat_params_init_…, workaround::gemma4_model_turn_builder,
deepseek_v4_sort_tool_results).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Message = dict[str, Any]


def as_blocks(messages: Sequence[Message]) -> list[Message]:
    """Put the reasoning and the text of system's and assistant's messages into blocks, as Ministral 3 wants them."""
    return [_blocks(message) if message["role"] in ("system", "assistant") else message for message in messages]


def with_thinking(messages: Sequence[Message]) -> list[Message]:
    """Repeat each message's reasoning under the name ``thinking``, as LFM2 wants it."""
    return [
        {**message, "thinking": message["reasoning_content"]} if "reasoning_content" in message else message
        for message in messages
    ]


def for_harmony(messages: Sequence[Message]) -> list[Message]:
    """Repeat reasoning as ``thinking`` and drop the content beside it where there are calls, as gpt-oss wants it."""
    return [
        {key: value for key, value in message.items() if key != "content"}
        if "thinking" in message and message.get("tool_calls")
        else message
        for message in with_thinking(messages)
    ]


def results_in_call_order(messages: Sequence[Message]) -> list[Message]:
    """Sort the results in each run of messages after the assistant's by the order of its calls, for DeepSeek V4."""
    adjusted = list(messages)
    order: dict[str, int] = {}
    place = 0
    while place < len(adjusted):
        message = adjusted[place]
        if message["role"] == "assistant" and message.get("tool_calls"):
            order = {call["id"]: index for index, call in enumerate(message["tool_calls"]) if call.get("id")}
        if message["role"] not in ("user", "tool"):
            place += 1
            continue
        stop = place
        while stop < len(adjusted) and adjusted[stop]["role"] in ("user", "tool"):
            stop += 1
        places = [index for index in range(place, stop) if adjusted[index]["role"] == "tool"]
        if len(places) > 1 and order:
            results = sorted(
                (adjusted[index] for index in places), key=lambda result: order.get(result.get("tool_call_id", ""), 0)
            )
            for index, result in zip(places, results, strict=True):
                adjusted[index] = result
        place = stop
    return adjusted


def with_tool_responses(messages: Sequence[Message]) -> list[Message]:
    """Join each call with its results and the answer to them in one message, as older templates of Gemma 4 want it."""
    joined: list[Message] = []
    place = 0
    while place < len(messages):
        if messages[place]["role"] == "assistant" and messages[place].get("tool_calls"):
            message, place = _turn(messages, place)
        else:
            message, place = messages[place], place + 1
        joined.append(message)
    return joined


def _blocks(message: Message) -> Message:
    blocks: list[Message] = []
    if "reasoning_content" in message:
        blocks.append({"type": "thinking", "thinking": message["reasoning_content"]})
    content = message.get("content")
    if isinstance(content, str):
        blocks.append({"type": "text", "text": content})
    elif isinstance(content, list):
        blocks.extend(content)
    kept = {key: value for key, value in message.items() if key != "reasoning_content"}
    return {**kept, "content": blocks}


def _turn(messages: Sequence[Message], place: int) -> tuple[Message, int]:
    first, calls = messages[place], messages[place]["tool_calls"]
    place += 1
    responses: list[Message] = []
    while place < len(messages) and messages[place]["role"] == "tool":
        responses.append(_response(messages[place], calls, len(responses)))
        place += 1
    turn: Message = {"role": "assistant", "tool_calls": calls}
    if responses:
        turn["tool_responses"] = responses
    last = messages[place] if place < len(messages) else {"role": ""}
    if last["role"] == "assistant" and not last.get("tool_calls") and last.get("content"):
        turn["content"] = last["content"]
        place += 1
    if "reasoning_content" in first:
        turn["reasoning_content"] = first["reasoning_content"]
    return turn, place


def _response(message: Message, calls: Sequence[Message], index: int) -> Message:
    content = message.get("content")
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            content = message["content"]
    name = calls[index].get("function", {}).get("name", "") if index < len(calls) else ""
    return {"name": name or message.get("tool_call_id", ""), "response": content}
