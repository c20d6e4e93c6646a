"""``modelsmith try``: answers, reasoning apart, statistics, what was cut, chats, and texts that would steer a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.scripted import Script, ScriptedServer, scripted
from thinking_model import QUESTION, needs_a_model, thinking_modelfile

from modelsmith.cli import run

INTERRUPT = "\x03"
CHAT = "/v1/chat/completions"
EVIL = "a\x1b]0;owned\x07\x1b[31mred\x9b2J\u202eb\rc\r\nd\te\u00a0\U0001f469\u200d\U0001f52c"
SHOWN = "a\\x1b]0;owned\\x07\\x1b[31mred\\x9b2J\\u202eb\\x0dc\nd\te\u00a0\U0001f469\u200d\U0001f52c"


def events(content: str, reasoning: str = "", finish: str = "stop", prompt: int = 9) -> Script:
    def delta(**parts: Any) -> dict[str, Any]:
        return {"choices": [{"delta": parts, "finish_reason": None}]}

    usage = {"prompt_tokens": prompt, "completion_tokens": 4}
    timings = {"prompt_ms": 90.0, "predicted_ms": 400.0}
    pieces = [delta(reasoning_content=each) for each in reasoning] + [delta(content=each) for each in content]
    end = {"choices": [{"delta": {}, "finish_reason": finish}], "usage": usage, "timings": timings}
    return Script.events(*pieces, end)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.delenv("MODELSMITH_API_KEY", raising=False)
    with scripted({CHAT: events("so", "why"), "/v1/models": Script.json({"data": [{"id": "m"}]})}) as found:
        yield found


def test_the_answer_goes_to_stdout_and_the_rest_to_stderr(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["try", "m", "hello", "there", "--on", server.url, "-s", "Be brief.", "-p", "seed=7"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "so\n"
    assert captured.err.startswith("thinking:\nwhy\n")
    assert "prompt 9 tokens (100.0/s); answer 4 tokens (10.0/s); first token after " in captured.err
    body = server.body(CHAT)
    assert [each["content"] for each in body["messages"]] == ["Be brief.", "hello there"]
    assert body["seed"] == 7


def test_a_url_is_a_model_too(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["try", server.url, "hello", "-q"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("so\n", "thinking:\nwhy\n\n")


def test_json(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.scripts[CHAT] = events(EVIL, "why", "length")
    assert run(["try", "m", "hello", "--on", server.url, "--json", "--think", "true"]) == 0
    text = capsys.readouterr().out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    found = json.loads(text)
    assert (found["answer"], found["reasoning"], found["stopped"]) == (EVIL, "why", "length")
    assert (found["prompt_tokens"], found["answer_tokens"]) == (9, 4)
    assert (found["prompt_tokens_per_second"], found["answer_tokens_per_second"]) == (100, 10)
    assert server.body(CHAT)["chat_template_kwargs"] == {"enable_thinking": True}


def test_control_characters_are_shown(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    call = {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": EVIL, "arguments": EVIL}}]}}]}
    script = events(EVIL, EVIL)
    server.scripts[CHAT] = Script([f"data: {json.dumps(call)}\n\n".encode(), *script.parts])
    assert run(["try", "m", "hello", "--on", server.url]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(SHOWN)
    assert SHOWN in captured.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", captured.out + captured.err)
    assert run(["try", "--compare", "m", "m", "hello", "--on", server.url]) == 0
    captured = capsys.readouterr()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", captured.out + captured.err)


def test_what_the_server_left_out_is_told(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.scripts |= {
        CHAT: events("so", prompt=30),
        "/props": Script.json({"default_generation_settings": {"n_ctx": 4096}}),
        "/apply-template": Script.json({"prompt": "x"}),
        "/tokenize": Script.json({"tokens": list(range(90))}),
    }
    assert run(["try", "m", "hello", "--on", server.url]) == 0
    captured = capsys.readouterr()
    assert "warning: the prompt has 90 tokens, and the model read only 30\n" in captured.err
    assert "context 4,096" in captured.err
    server.scripts["/props"] = Script.json({"default_generation_settings": {"n_ctx": 40}})
    assert run(["try", "m", "hello", "--on", server.url]) == 0
    assert "the context 40: the model did not read all of the last message; a larger context: -p num_ctx=1024" in (
        capsys.readouterr().err
    )


def test_compare(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["try", "--compare", "a", "b", "hello", "--on", server.url]) == 0
    assert capsys.readouterr().out == "== a\nso\n== b\nso\n"
    assert run(["try", "--compare", "a", "b", "hello", "--on", server.url, "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [(each["model"], each["answer"]) for each in models] == [("a", "so"), ("b", "so")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["try"], 2, "there is no model to ask"),
        (["try", "no.gguf", "x"], 3, "does not exist"),
        (["try", "nosuch", "x", "--store", "models"], 3, "models"),
        (["try", "m", "x", "--on", "embeded"], 2, 'did you mean "embedded"'),
        (["try", "m", "x", "--on", "no.jsonl"], 3, "the recording no.jsonl cannot be read"),
        (["try", "m", "x", "--on", "http://127.0.0.1:9"], 3, "no server answers at http://127.0.0.1:9"),
        (["try", "m", "x", "--on", "http://"], 2, "is not the URL of a server"),
        (["try", "m", "x", "-p", "temprature=0"], 2, 'did you mean "temperature"'),
        (["try", "m", "x", "-p", "seed"], 2, "no NAME=VALUE"),
        (["try", "m", "x", "-p", "seed=x"], 3, "seed"),
        (["try", "m", "x", "--timeout", "0"], 2, "--timeout"),
        (["try", "m", "-c", "no.json"], 3, "no.json"),
        (["try", "m", "x", "-c", "no.json"], 2, "exclude each other"),
        (["run", "m"], 2, "it is called"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_wrong_calls(
    words: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    monkeypatch.setenv("MODELSMITH_STORE", "models")
    assert run(words) == code
    error = capsys.readouterr().err
    assert said in " ".join(error.split())
    assert "Traceback" not in error


def test_a_key_is_sent_and_never_shown(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.scripts[CHAT] = Script.json({"error": {"message": "Incorrect API key: sk-secret"}}, 401)
    assert run(["try", "m", "hello", "--on", server.url, "--api-key", "sk-secret"]) == 3
    assert server.asked[-1][1]["Authorization"] == "Bearer sk-secret"
    captured = capsys.readouterr()
    assert "sk-secret" not in captured.out + captured.err
    assert "***" in captured.err


def test_the_report_of_a_bug_holds_no_key(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["try", "m", "hello", "--on", server.url, "--api-key", "sk-secret"]
    monkeypatch.setattr("sys.argv", ["modelsmith", *words])
    monkeypatch.setattr("modelsmith.engines.choose.choose_engine", lambda wish: 1 // 0)
    assert run(words) == 3
    (path,) = re.findall(r"the report is in (.+)$", capsys.readouterr().err, re.MULTILINE)
    report = Path(path).read_text()
    Path(path).unlink()
    assert "'--api-key', '***'" in report
    assert "sk-secret" not in report


def on_a_terminal(words: list[str], *typed: tuple[str, str], **environment: str) -> str:
    """Return what a command shows on a terminal; each text is typed as soon as its sign is there."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "modelsmith", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "90", "NO_COLOR": "", **environment},
    )
    os.close(theirs)
    watch = threading.Timer(600, started.kill)
    watch.start()
    data, left, seen = b"", list(typed), 0
    try:
        while piece := os.read(ours, 1 << 16):
            data += piece
            while left and (place := data.find(left[0][0].encode(), seen)) >= 0:
                seen = place + len(left[0][0])
                text = left.pop(0)[1]
                if text == INTERRUPT:  # there is no session whose terminal this is, to send the signal
                    started.send_signal(signal.SIGINT)
                else:
                    os.write(ours, text.encode())
    except OSError:  # the other side is closed
        pass
    watch.cancel()
    os.close(ours)
    assert started.wait(timeout=600) == 0
    return data.decode().replace("\r\n", "\n")


def test_a_chat(server: ScriptedServer) -> None:
    server.scripts[CHAT] = events("so " + EVIL, "why")
    shown = on_a_terminal(
        ["try", "m", "--on", server.url, "-s", "Be brief."],
        (">>> ", "hello\n"),
        (">>> ", '"""two\n'),
        ("... ", 'lines"""\n'),
        (">>> ", "/nothink\n"),
        (">>> ", "third\n"),
        (">>> ", "/clear\n"),
        (">>> ", "/?\n"),
        (">>> ", "fourth\n"),
        (">>> ", "/bye\n"),
    )
    assert "\x1b[2mw\x1b[0m" in shown.replace("\x1b[2m\x1b[0m", "")
    assert "so a\\x1b]0;owned" in shown
    assert "Ctrl-D" in shown
    assert "\x1b[31m" not in shown
    bodies = [body for path, _, body in server.asked if path == CHAT]
    said = [[each["content"] for each in body["messages"]] for body in bodies]
    answer = "so " + EVIL
    assert said == [
        ["Be brief.", "hello"],
        ["Be brief.", "hello", answer, "two\nlines"],
        ["Be brief.", "hello", answer, "two\nlines", answer, "third"],
        ["Be brief.", "fourth"],
    ]
    assert "chat_template_kwargs" not in bodies[1]
    assert bodies[2]["chat_template_kwargs"] == {"enable_thinking": False}


def test_an_interrupt_ends_the_answer_and_not_the_chat(server: ScriptedServer) -> None:
    start = b'data: {"choices": [{"delta": {"content": "begun"}}]}\n\n'
    server.scripts[CHAT] = Script([start, 30.0])
    shown = on_a_terminal(
        ["try", "m", "--on", server.url], (">>> ", "hello\n"), ("begun", INTERRUPT), (">>> ", "/bye\n")
    )
    assert "interrupted" in shown


def test_an_error_ends_the_question_and_not_the_chat(server: ScriptedServer) -> None:
    server.scripts[CHAT] = Script.json({"error": "out of luck"}, 500)
    shown = on_a_terminal(["try", "m", "--on", server.url], (">>> ", "hello\n"), (">>> ", "\x04"))
    assert "500 out of luck" in shown


def test_two_side_by_side_on_a_terminal(server: ScriptedServer) -> None:
    shown = on_a_terminal(["try", "--compare", "a", "b", "hello", "--on", server.url])
    assert re.search(r"so\s+│ so", shown)
    assert "\x1b[2m" in shown


@needs_a_model
def test_a_modelfile_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    path = thinking_modelfile(tmp_path)
    assert run(["try", str(path), QUESTION]) == 0
    captured = capsys.readouterr()
    assert captured.out == "The capital of France is Paris.\n"
    assert "thinking:\nFrance's capital is Paris.\n" in captured.err
    assert "loaded in " in captured.err
    long = tmp_path / "long.json"
    messages = [{"role": "user", "content": "word " * 500}, {"role": "assistant", "content": "so"}]
    long.write_text(json.dumps({"messages": [*messages, {"role": "user", "content": QUESTION}]}))
    assert run(["try", str(path), "-c", str(long), "-p", "num_predict=2"]) == 0
    captured = capsys.readouterr()
    assert "the context 512: the model did not read message 1; a larger context: -p num_ctx=2048" in captured.err
    assert "the answer was cut off" in captured.err
