"""OpenAI-compatible servers: what is sent, what is read, and everything that can be wrong with the answer."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.scripted import Script, scripted

from modelsmith.engines.answer import Answer, collect
from modelsmith.engines.openai import OpenAIEngine
from modelsmith.engines.protocol import Request
from modelsmith.errors import EngineError, ModelsmithError, ServerError, UsageError
from modelsmith.template.conversation.conversation import Conversation

CHAT = "/v1/chat/completions"
HELLO = Request(Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]}))


def delta(finish: str | None = None, **parts: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": parts, "finish_reason": finish}]}


def asked(script: Script, request: Request = HELLO, **options: Any) -> tuple[Answer, Any]:
    with scripted({CHAT: script}) as server:
        engine = OpenAIEngine(server.url, "m", **options)
        try:
            return collect(engine, request), server.body(CHAT)
        finally:
            engine.close()


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_and_answer_are_apart(key: str) -> None:
    usage = {
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}},
        "timings": {"prompt_ms": 60.0, "predicted_ms": 400.0},
    }
    answer, body = asked(
        Script.events(
            delta(role="assistant", content=None), delta(**{key: "why"}), delta(content="so"), delta("stop"), usage
        )
    )
    assert (answer.reasoning, answer.content, answer.reason) == ("why", "so", "stop")
    assert answer.prompt_rate == pytest.approx(100)
    assert answer.answer_rate == pytest.approx(10)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_calls_come_in_parts() -> None:
    answer, _ = asked(
        Script.events(
            delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "weather", "arguments": ""}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '{"city": '}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '"Rome"}'}}]),
            delta(tool_calls=[{"index": 1, "function": {"name": "time", "arguments": "{oops"}}]),
            delta("tool_calls"),
        )
    )
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [
        ("weather", {"city": "Rome"}),
        ("time", None),
    ]
    assert answer.reason == "stop"


def test_what_is_sent() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "thinking": "t", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
        {"role": "tool", "content": "b", "tool_name": "f"},
    ]
    request = Request(
        Conversation.from_dict({"messages": messages, "tools": tools}),
        think="low",
        options={"temperature": 0, "num_predict": 5, "num_ctx": 9, "stop": ["x"]},
        format={"type": "object"},
    )
    _, body = asked(Script.events(delta("stop")), request)
    assert body["tools"][0]["function"]["name"] == "f"
    assert body["messages"][1]["reasoning_content"] == "t"
    assert body["messages"][1]["tool_calls"] == [
        {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    ]
    assert body["messages"][2] == {"role": "tool", "content": "b", "tool_call_id": "call_0", "name": "f"}
    assert body["chat_template_kwargs"] == {"enable_thinking": True, "reasoning_effort": "low"}
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0, 5, ["x"])
    assert "num_ctx" not in body
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_a_server_that_does_not_stream_is_read_too() -> None:
    whole = {"choices": [{"message": {"content": "so", "reasoning": "why"}, "finish_reason": "stop"}]}
    answer, _ = asked(Script.json(whole))
    assert (answer.reasoning, answer.content) == ("why", "so")
    assert (answer.prompt_rate, answer.answer_rate) == (None, None)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script.events(delta(content="so"), done=False), "without saying so"),
        (Script.events(delta(content="so")), "without saying so"),
        (Script.events(delta(content=7)), "content is no text, but 7"),
        (Script.events({"choices": "x"}), "choices is no list of objects"),
        (Script.events({"choices": [7]}), "choices is no list of objects"),
        (Script.events({"error": {"message": "out of memory"}}), "out of memory"),
        (Script.events({"object": "error", "message": "no such model"}), "no such model"),
        (Script.events(delta(tool_calls=[{"index": 10**9}])), "too many calls"),
        (Script((b"data: {oops\n\n",)), "did not answer with a JSON object"),
        (Script((b"data: 7\n\n",)), "did not answer with a JSON object"),
        (Script((b"hello\n",)), "did not answer with a JSON object"),
        (Script((b"\xff\xfe\x00\n",)), "did not answer with a JSON object"),
        (Script((b"<html>",), "text/html"), "HTML page"),
        (Script((b"data: {}\n\n",), cut=True), "broke in the middle"),
        (Script.json({"error": {"message": "bad key"}}, 401), "401 bad key"),
    ],
)
def test_garbage_is_told(script: Script, words: str) -> None:
    with pytest.raises((EngineError, ServerError)) as raised:
        asked(script)
    assert words in raised.value.message


def test_a_hang_has_an_end() -> None:
    with pytest.raises(ServerError, match=r"did not finish its answer within 0\.5 s"):
        asked(Script((b'data: {"choices": []}\n\n', 30.0)), seconds=0.5)
    with pytest.raises(ServerError, match=r"did not finish its answer within 0\.5 s"):
        asked(Script((30.0,)), seconds=0.5)
    drip = [b'data: {"choices": []}\n\n', 0.1] * 100
    with pytest.raises(ServerError, match=r"did not finish its answer within 0\.5 s"):
        asked(Script(drip), seconds=0.5)


def test_an_answer_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelsmith.engines.answer.MAX_ANSWER", 50)
    with pytest.raises(EngineError, match="more than 50 characters"):
        asked(Script.events(*[delta(content="x" * 20)] * 5))


def test_a_key_is_sent_and_never_shown() -> None:
    secret = "sk-very-secret"
    refused = Script.json({"error": {"message": f"Incorrect API key provided: {secret}"}}, 401)
    with scripted({CHAT: refused}) as server:
        engine = OpenAIEngine(server.url, "m", api_key=secret)
        with pytest.raises(ServerError) as raised:
            collect(engine, HELLO)
        assert server.asked[0][1]["Authorization"].endswith(secret)
        engine.close()
    said = f"{raised.value.message} {raised.value.hint} {raised.value.text} {raised.value.request} {engine.location}"
    assert secret not in said
    assert "***" in said


def test_the_only_model_needs_no_name() -> None:
    models = Script.json({"data": [{"id": "one", "max_model_len": 77}]})
    with scripted({CHAT: Script.events(delta("stop")), "/v1/models": models}) as server:
        engine = OpenAIEngine(f"{server.url}/v1")
        collect(engine, HELLO)
        assert server.body(CHAT)["model"] == "one"
        assert engine.context() == 77
        engine.close()
    with scripted({"/v1/models": Script.json({"data": [{"id": "one"}, {"id": "two"}]})}) as server:
        engine = OpenAIEngine(server.url)
        with pytest.raises(UsageError, match="has not one model: one, two"):
            collect(engine, HELLO)
        engine.close()


def test_what_it_cannot_do() -> None:
    with pytest.raises(ModelsmithError, match="no suffix"):
        asked(Script(), Request(Conversation(prompt="a", suffix="b")))
