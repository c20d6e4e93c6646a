"""The clients that people use, the real packages `openai` and `ollama`: reasoning and answer arrive apart, streamed too.

The model is one that the recipe force-think was applied to. Against ``/v1/chat/completions`` it is a real llama-server, against
``/api/chat`` a server whose wire is Ollama's and whose answers are real, and a real Ollama where there is one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes.ollama import FakeOllama
from local_stores import real_gguf
from ports import free_port
from thinking_model import ASLEEP, QUESTION, needs_a_model, thinking_modelfile

from modelsmith.cli import run
from modelsmith.engines.embedded import EmbeddedEngine
from modelsmith.engines.known import KnownModel, find_known
from modelsmith.errors import ServerError
from modelsmith.progress import silent
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.read.load import load_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.jinja.template import ChatTemplate

openai = pytest.importorskip("openai")
ollama = pytest.importorskip("ollama")
pytestmark = [needs_a_model, pytest.mark.filterwarnings("default::DeprecationWarning")]

REASONING = "France's capital is Paris."
ANSWER = "The capital of France is Paris."
MESSAGES = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """Run the model that force-think makes of one that shows reasoning and does not begin with it."""
    folder = tmp_path_factory.mktemp("clients")
    asleep = find_known(str(real_gguf()), lambda: LocalStore(folder), folder, None, silent).draft.with_chat_template(
        ChatTemplate.parse(ASLEEP)
    )
    after = edited(asleep, load_recipe("force-think").resolve({"base": "x"}))
    options = {"temperature": 0.0, "num_ctx": 256, "num_predict": 40, "num_thread": 1}
    found = EmbeddedEngine(KnownModel.of(after, "thinker"), options)
    yield found
    found.close()


@pytest.fixture
def client(engine: EmbeddedEngine) -> Iterator[openai.OpenAI]:
    server = engine._running()
    assert engine._child is not None
    with openai.OpenAI(
        base_url=f"{server._http.url}/v1", api_key=engine._child.key, http_client=httpx.Client()
    ) as found:
        yield found


def test_openai_gets_reasoning_and_answer_apart(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model="thinker", messages=MESSAGES, temperature=0, max_tokens=40)
    message = found.choices[0].message
    assert message.content.strip() == ANSWER
    assert message.reasoning_content.strip() == REASONING
    assert found.choices[0].finish_reason == "stop"


def test_openai_gets_them_apart_while_they_stream(client: openai.OpenAI) -> None:
    parts: dict[str, list[str]] = {"reasoning": [], "content": []}
    order = []
    stream = client.chat.completions.create(
        model="thinker", messages=MESSAGES, temperature=0, max_tokens=40, stream=True
    )
    for chunk in stream:
        delta = chunk.choices[0].delta
        for name, text in (("reasoning", getattr(delta, "reasoning_content", None)), ("content", delta.content)):
            if text:
                parts[name].append(text)
                order.append(name)
    assert "".join(parts["reasoning"]).strip() == REASONING
    assert "".join(parts["content"]).strip() == ANSWER
    assert len(parts["reasoning"]) > 1
    assert order == sorted(order, reverse=True)


def test_openai_can_switch_it_off(client: openai.OpenAI) -> None:
    off = {"chat_template_kwargs": {"enable_thinking": False}}
    found = client.chat.completions.create(
        model="thinker", messages=MESSAGES, temperature=0, max_tokens=4, extra_body=off
    )
    message = found.choices[0].message
    assert not getattr(message, "reasoning_content", None)
    assert "think>" not in (message.content or "")


@pytest.fixture
def chat(engine: EmbeddedEngine, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    with FakeOllama(tmp_path, engine=engine) as server:
        client = ollama.Client(host=server.url)
        yield partial(client.chat, model="thinker", messages=MESSAGES)
        client.close()


def test_ollama_gets_reasoning_and_answer_apart(chat: Callable[..., Any]) -> None:
    found = chat()
    assert found.message.thinking.strip() == REASONING
    assert found.message.content.strip() == ANSWER
    assert found.done_reason == "stop"


def test_ollama_gets_them_apart_while_they_stream(chat: Callable[..., Any]) -> None:
    pieces = [part.message for part in chat(stream=True)]
    assert "".join(piece.thinking or "" for piece in pieces).strip() == REASONING
    assert "".join(piece.content or "" for piece in pieces).strip() == ANSWER
    assert not any(piece.thinking and piece.content for piece in pieces)


def test_ollama_can_switch_it_off(chat: Callable[..., Any]) -> None:
    found = chat(think=False, options={"num_predict": 4})
    assert not found.message.thinking
    assert "think>" not in found.message.content


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a real Ollama that has the model; its own program, its own folder."""
    program = shutil.which("ollama")
    if program is None:
        pytest.skip("there is no `ollama` on the PATH")
    folder = tmp_path_factory.mktemp("real")
    host = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "OLLAMA_HOST": host, "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder)}
    process = subprocess.Popen(
        [program, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://{host}"
        for _ in range(300):
            with suppress(ServerError):
                OllamaStore(url).ollama_version()
                break
            time.sleep(0.2)
        assert run(["create", "thinker", "-f", str(thinking_modelfile(folder)), "--store", url]) == 0
        yield url
    finally:
        process.terminate()
        process.wait(600)


@pytest.mark.ollama
def test_a_real_ollama_keeps_them_apart_for_both_clients(real: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = ollama.Client(host=real)
    parts = [part.message for part in client.chat(model="thinker", messages=MESSAGES, stream=True)]
    assert "".join(part.thinking or "" for part in parts).strip() == REASONING
    assert "".join(part.content or "" for part in parts).strip() == ANSWER
    assert not client.chat(model="thinker", messages=MESSAGES, think=False).message.thinking
    client.close()
    with openai.OpenAI(base_url=f"{real}/v1", api_key="x", http_client=httpx.Client()) as other:
        stream = other.chat.completions.create(model="thinker", messages=MESSAGES, temperature=0, stream=True)
        deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    assert "".join(getattr(delta, "reasoning", None) or "" for delta in deltas).strip() == REASONING
    assert "".join(delta.content or "" for delta in deltas).strip() == ANSWER
    for on in (real, f"{real}/v1"):
        assert run(["try", "thinker", QUESTION, "--on", on, "-p", "temperature=0", "-p", "num_predict=40"]) == 0
        captured = capsys.readouterr()
        assert captured.out.strip() == ANSWER
        assert f"thinking:\n{REASONING}" in captured.err


@pytest.mark.ollama
def test_a_real_ollama_leaves_out_what_we_say_it_does(
    real: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = [{"role": "user", "content": "word " * 500}, {"role": "assistant", "content": "so"}, *MESSAGES]
    (tmp_path / "long.json").write_text(json.dumps({"messages": talk}))
    words = ["try", "thinker", "-c", str(tmp_path / "long.json"), "--on", real, "-p", "num_predict=4", "--json"]
    assert run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert "the context 512: the model did not read message 1" in found["cut"]
    kept = Conversation.from_dict({"messages": talk[1:]})
    known = find_known("thinker", lambda: OllamaStore(real), tmp_path, None, silent)
    assert found["prompt_tokens"] == known.prompt(kept, None).tokens
