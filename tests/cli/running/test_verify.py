"""``modelsmith verify``: recipes and models, recorded and replayed, for people and for CI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.scripted import Script, ScriptedServer, scripted
from junitparser import Error, Failure, JUnitXml
from thinking_model import QUESTION, needs_a_model, thinking_modelfile

from modelsmith.cli import run

CHAT = "/v1/chat/completions"
RECIPE = """\
name: polite
from: sample:deepseek-r1
create: polite
parameters: {temperature: 0}
expect:
  - parameters: {temperature: 0}
  - ask: hello
    thinks: true
    contains: so
  - ask: bye
    think: false
    matches: '^so$'
"""


def said(content: str, reasoning: str = "") -> Script:
    delta = {"content": content, "reasoning_content": reasoning}
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage, "timings": {"predicted_ms": 700.0}}
    return Script.events({"choices": [{"delta": delta}]}, end)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("models").mkdir()
    Path("polite.yaml").write_text(RECIPE)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted({CHAT: said("so", "why")}) as found:
        yield found


def test_all_promises_hold(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "polite.yaml", "--on", server.url]) == 0
    out = capsys.readouterr().out
    assert "ok      the model thinks: 3 characters of reasoning" in out
    assert "ask: bye (think false)" in out
    assert f"4 of 4 promises hold, asked of {server.url}" in out
    assert [body["chat_template_kwargs"] for path, _, body in server.asked if path == CHAT and "bye" in str(body)] == [
        {"enable_thinking": False}
    ]


def test_a_broken_promise_is_1(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.scripts[CHAT] = said("no\x1b[2J")
    assert run(["verify", "polite.yaml", "--on", server.url, "--junit", "out.xml"]) == 1
    out = capsys.readouterr().out
    assert "broken  the answer has 'so': 'no\\x1b[2J'" in out
    assert "1 of 4 promises hold" in out
    suites = JUnitXml.fromfile("out.xml")
    rows = [(suite.name, suite.tests, suite.failures, suite.errors) for suite in suites]
    assert rows == [
        ("polite.yaml", 1, 0, 0),
        ("polite.yaml: hello", 2, 2, 0),
        ("polite.yaml: bye (think false)", 1, 1, 0),
    ]
    results = [result for suite in suites for case in suite for result in case.result]
    assert len(results) == 3
    assert all(isinstance(result, Failure) for result in results)
    assert 'answer: "no\\u001b[2J"' in str(results[1].text)


def test_an_engine_that_fails_is_3(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.scripts[CHAT] = Script.json({"error": "out of luck"}, 500)
    assert run(["verify", "polite.yaml", "--on", server.url, "--junit", "out.xml", "--record", "r.jsonl"]) == 3
    captured = capsys.readouterr()
    assert "500 out of luck" in captured.out
    assert "not asked: the engine failed before" in captured.out
    assert "r.jsonl was not written" in captured.err
    assert not Path("r.jsonl").exists()
    errors = [result for suite in JUnitXml.fromfile("out.xml") for case in suite for result in case.result]
    assert [type(result) for result in errors] == [Error, Error]
    assert "out of luck" in errors[0].message
    assert run(["verify", "polite.yaml", "--on", "http://127.0.0.1:9", "--json"]) == 3
    asked = json.loads(capsys.readouterr().out)["asked"]
    assert "no server answers" in asked[0]["error"]


def test_json(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "polite.yaml", "--on", server.url, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["holds"] is True
    assert found["asked"][0]["answer"] == "so"
    assert found["asked"][0]["answer_tokens_per_second"] == pytest.approx(10)
    assert found["promises"][0]["promise"].startswith("parameters")
    assert run(["verify", "polite.yaml", "--on", server.url, "--format", "junit", "-o", "o.xml"]) == 0
    assert (
        run(["verify", "polite.yaml", "--on", server.url, "--format", "junit", "-o", "o.xml"]) == 0
    )  # ours is replaced
    Path("other").write_text("x")
    assert run(["verify", "polite.yaml", "--on", server.url, "--format", "junit", "-o", "other"]) == 2


def test_recorded_and_replayed_without_a_server(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "polite.yaml", "--on", server.url, "--record", "r.jsonl", "--api-key", "sk-secret"]) == 0
    assert "sk-secret" not in Path("r.jsonl").read_text()
    first = capsys.readouterr().out
    assert run(["verify", "polite.yaml", "--replay", "r.jsonl"]) == 0
    assert capsys.readouterr().out.replace("the recording r.jsonl", server.url) == first
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert lines[0]["recording"] == 1
    assert lines[1]["prompt"]["text"].endswith("<｜User｜>hello<｜Assistant｜>")
    assert lines[1]["model"]["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("create: polite", "create: polite\nsystem: Be brief.", "no longer fits: the prompt of 'hello' was"),
        ("temperature: 0}", "temperature: 1}", "no longer fits: temperature was 0"),
        ("ask: bye", "ask: good bye", "has no answer to 'good bye'"),
        ("think: false", "think: true", "has no answer to 'bye' with this think: false was asked, and is true now"),
        (
            "thinks: true",
            "thinks: true\n    options: {seed: 3}",
            'with this options: {} was asked, and is {"seed": 3} now',
        ),
    ],
)
def test_a_recording_that_no_longer_fits_is_3(
    old: str, new: str, words: str, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "polite.yaml", "--on", server.url, "--record", "r.jsonl"]) == 0
    Path("polite.yaml").write_text(RECIPE.replace(old, new))
    capsys.readouterr()
    assert run(["verify", "polite.yaml", "--replay", "r.jsonl"]) == 3
    out = capsys.readouterr().out
    assert words in out
    assert "hint: record again: --record r.jsonl" in out


@pytest.mark.parametrize("option", ["--record", "--junit", "-o"])
def test_a_place_that_is_taken_is_told_before_the_model_is_asked(
    option: str, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine").write_text("mine\n")
    assert run(["verify", "polite.yaml", "--on", server.url, option, "mine"]) == 2
    assert "mine exists already" in capsys.readouterr().err
    assert run(["verify", "polite.yaml", "--on", server.url, option, "no/file"]) == 2
    assert "there is no folder no" in capsys.readouterr().err
    assert server.asked == []
    assert Path("mine").read_text() == "mine\n"


def test_ci_needs_no_model(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert run(["create", "base", "-f", _modelfile()]) == 0
    Path("polite.yaml").write_text(RECIPE.replace("sample:deepseek-r1", "base"))
    assert run(["lock", "polite.yaml"]) == 0
    assert run(["verify", "polite.yaml", "--on", server.url, "--record", "r.jsonl"]) == 0
    ci = tmp_path / "ci"
    ci.mkdir()
    for name in ("polite.yaml", "r.jsonl", "modelsmith.lock"):
        shutil.copy(name, ci)
    monkeypatch.chdir(ci)
    monkeypatch.setenv("MODELSMITH_STORE", str(ci / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(ci / "cache"))
    capsys.readouterr()
    assert run(["verify", "polite.yaml", "--replay", "r.jsonl"]) == 3  # the base is not here
    assert run(["verify", "polite.yaml", "--replay", "r.jsonl", "--from-lock"]) == 0
    assert "4 of 4 promises hold" in capsys.readouterr().out
    assert run(["verify", "polite.yaml", "--from-lock"]) == 2


def _modelfile() -> str:
    from modelsmith.models.sources.sample import sample_modelfile

    Path("Modelfile").write_text(str(sample_modelfile("deepseek-r1")))
    return "Modelfile"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["verify", "no.yaml"], 3, "no recipe no.yaml"),
        (["verify", "no.gguf"], 3, "does not exist"),
        (["verify", "nosuch"], 3, "nosuch"),
        (["verify", "polite.yaml", "--replay", "no.jsonl"], 3, "the recording no.jsonl cannot be read"),
        (["verify", "polite.yaml", "--replay", "polite.yaml"], 3, "polite.yaml, line 1 is no line of a recording"),
        (["verify", "polite.yaml", "--replay", "r", "--record", "r"], 2, "leave --record out"),
        (["verify", "polite.yaml", "--replay", "r", "--on", "embedded"], 2, "leave --on out"),
        (["verify", "m", "--set", "a=b"], 2, "m is no recipe"),
        (["verify", "polite.yaml", "--on", "nonsense"], 2, "no engine of this name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_wrong_calls(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == code
    captured = capsys.readouterr()
    assert said in " ".join((captured.out + captured.err).split())


def test_a_recipe_without_questions_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "force-think", "--set", "base=sample:deepseek-r1"]) == 0
    assert "promises hold\n" in capsys.readouterr().out


@needs_a_model
def test_a_thinking_model_and_one_that_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = thinking_modelfile(tmp_path)
    Path("thinks.yaml").write_text(
        f"name: thinks\nfrom: ./{path.name}\ncreate: thinker\nexpect:\n"
        f"  - {{ask: {QUESTION!r}, thinks: true, apart: true, stops-within: 40, contains: Paris, tokens-per-second: 0.01}}\n"
        f"  - {{ask: {QUESTION!r}, think: false, thinks: false, apart: true, options: {{num_predict: 4}}}}\n"
    )
    words = ["verify", "thinks.yaml", "--on", "embedded"]
    assert run([*words, "--record", "r.jsonl", "--junit", "one.xml"]) == 0
    assert run(["verify", "thinks.yaml", "--replay", "r.jsonl", "--junit", "two.xml"]) == 0
    assert Path("one.xml").read_text() == Path("two.xml").read_text()
    assert sum(suite.tests for suite in JUnitXml.fromfile("two.xml")) == 7
    capsys.readouterr()
    plain = path.read_text().replace("TEMPLATE", "# ", 1).partition('"""')[0]
    Path("plain.Modelfile").write_text(
        plain + "\nPARAMETER num_ctx 256\nPARAMETER num_thread 1\nPARAMETER num_predict 8\n"
    )
    assert run(["verify", "plain.Modelfile", "-p", "num_predict=8"]) == 0
    assert "3 of 3 promises hold" in capsys.readouterr().out
