"""A running Ollama: what is sent, what is read, and everything that can be wrong with the answer."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.scripted import Script, scripted

from modelsmith.engines.answer import Answer, collect
from modelsmith.engines.ollama import OllamaEngine
from modelsmith.engines.protocol import Request
from modelsmith.errors import EngineError, ModelNotFound, ModelsmithError, ServerError, Unsupported
from modelsmith.template.conversation.conversation import Conversation

HELLO = Request(Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]}))
DONE = {
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 20,
    "prompt_eval_duration": 10**9,
    "eval_count": 6,
    "eval_duration": 2 * 10**9,
    "load_duration": 5 * 10**8,
}


def asked(script: Script, request: Request = HELLO, path: str = "/api/chat", **options: Any) -> tuple[Answer, Any]:
    with scripted({path: script}) as server:
        engine = OllamaEngine(server.url, "m", **options)
        try:
            return collect(engine, request), server.body(path)
        finally:
            engine.close()


def test_reasoning_calls_and_answer_are_apart() -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
    answer, body = asked(
        Script.lines(
            {"message": {"thinking": "why"}, "done": False},
            {"message": {"content": "so"}, "done": False},
            {"message": {"content": "", "tool_calls": [call]}, "done": False},
            {"message": {"content": ""}, **DONE},
        ),
        Request(HELLO.conversation, think=True, options={"seed": 1}, format="json"),
    )
    assert (answer.reasoning, answer.content, answer.reason) == ("why", "so", "stop")
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("weather", {"city": "Rome"})]
    assert (answer.prompt_rate, answer.answer_rate, answer.usage.load_seconds) == (20, 3, 0.5)
    assert body == {
        "model": "m:latest",
        "stream": True,
        "options": {"seed": 1},
        "think": True,
        "format": "json",
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [],
    }


def test_a_prompt_is_generated_for() -> None:
    answer, body = asked(
        Script.lines({"response": "b", "thinking": "t"}, {"response": "", **DONE}),
        Request(Conversation(prompt="a", suffix="c")),
        "/api/generate",
    )
    assert (answer.content, answer.reasoning) == ("b", "t")
    assert (body["prompt"], body["suffix"]) == ("a", "c")
    assert "think" not in body


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        (Script.lines({"message": {"content": "so"}}), EngineError, "without saying so"),
        (Script.lines({"message": {"content": "so"}}, cut=True), ServerError, "broke in the middle"),
        (Script.lines({"error": "runner died"}), EngineError, "runner died"),
        (Script.lines({"message": 7}), EngineError, "message is no object"),
        (Script.lines({"message": {"thinking": []}}), EngineError, "thinking is no text"),
        (Script.lines([]), ServerError, "did not answer with a JSON object"),
        (Script((b"\x00\xff",), "application/x-ndjson"), ServerError, "did not answer with a JSON object"),
        (Script((b"<html>",), "text/html"), ServerError, "HTML page"),
        (Script.json({"error": "model 'm' not found"}, 404), ModelNotFound, "no model m"),
        (Script.json({"error": '"m" does not support thinking'}, 400), Unsupported, "does not support thinking"),
        (Script.json({"error": "oops"}, 500), ServerError, "500 oops"),
    ],
)
def test_garbage_is_told(script: Script, kind: type[ModelsmithError], words: str) -> None:
    with pytest.raises(kind) as raised:
        asked(script)
    assert words in raised.value.message


def test_a_hang_has_an_end() -> None:
    with pytest.raises(ServerError, match=r"did not finish its answer within 0\.5 s"):
        asked(Script((b'{"message": {}}\n', 30.0)), seconds=0.5)


def test_counts_that_can_be_none_are_none() -> None:
    odd = DONE | {"prompt_eval_count": -1, "eval_count": None, "eval_duration": -5, "prompt_eval_duration": None}
    answer, _ = asked(Script.lines(odd))
    assert answer.usage.prompt_tokens is None
    assert (answer.prompt_rate, answer.answer_rate) == (None, None)
    for key, value in (("eval_count", "x"), ("eval_duration", True), ("prompt_eval_count", [])):
        with pytest.raises(EngineError, match=f"answered with garbage: {key} is no number, but "):
            asked(Script.lines(DONE | {key: value}))
    with pytest.raises(EngineError, match=r"failed while it answered: \{'a': 1\}"):
        asked(Script.lines({"error": {"a": 1}}))


def test_the_context_is_that_of_the_loaded_model() -> None:
    running = {"models": [{"name": "other:latest", "context_length": 1}, {"name": "m:latest", "context_length": 8192}]}
    for models, found in ((running, 8192), ({"models": None}, None), ({"models": [{}]}, None)):
        with scripted({"/api/ps": Script.json(models)}) as server:
            engine = OllamaEngine(server.url, "m")
            assert engine.context() == found
            engine.close()
    with scripted({"/api/ps": Script.json({"models": [7, {}]})}) as server:
        engine = OllamaEngine(server.url, "m")
        with pytest.raises(EngineError, match="models is no list of objects"):
            engine.context()
        engine.close()
