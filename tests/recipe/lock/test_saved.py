"""``plan -o`` and ``apply FILE``: exactly what was planned, or what moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample

RECIPE = "name: r\nfrom: ./base.gguf\nsystem: Be brief.\ncreate: x\n"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    Path("r.yaml").write_text(RECIPE)
    write_sample("base.gguf")


def save(*arguments: str) -> None:
    assert run(["plan", "r.yaml", "--store", "models", "-o", "plan.json", *arguments]) == 0


def test_a_plan_is_carried_out_and_then_nothing_is_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    save()
    assert run(["apply", "plan.json", "--json"]) == 0
    applied = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert applied["changed"] is True
    assert f"sha256:{applied['digest']}" == json.loads(Path("plan.json").read_text())["model"]["result"]["manifest"]
    assert run(["apply", "plan.json", "--quiet"]) == 0
    assert "no changes" in capsys.readouterr().out


def test_the_same_plan_is_the_same_file_and_an_old_one_is_replaced() -> None:
    save()
    first = Path("plan.json").read_bytes()
    save()
    assert Path("plan.json").read_bytes() == first
    Path("r.yaml").write_text(RECIPE.replace("brief", "kind"))
    save()
    assert Path("plan.json").read_bytes() != first
    assert not Path("plan.json.old").exists()
    Path("plan.json").write_text("{}")
    assert run(["plan", "r.yaml", "--store", "models", "-o", "plan.json"]) == 2


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("recipe", "recipe ./r.yaml: "),
        ("base", "base base.gguf: "),
        ("tool", "tool modelsmith: 9.9.9 -> "),
        ("target", "target x:latest: none -> "),
        ("store", "target store: "),
    ],
)
def test_what_moved_is_said_and_nothing_is_written(what: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    save()
    arguments: list[str] = []
    match what:
        case "recipe":
            Path("r.yaml").write_text(RECIPE + "parameters: {top_k: 5}\n")
        case "base":
            write_sample("base.gguf", seed=7)
        case "tool":
            data = json.loads(Path("plan.json").read_text())
            data["model"]["tools"]["modelsmith"] = "9.9.9"
            Path("plan.json").write_text(json.dumps(data))
        case "target":
            Path("other.yaml").write_text(RECIPE.replace("brief", "loud"))
            assert run(["apply", "other.yaml", "--store", "models", "--quiet"]) == 0
        case "store":
            arguments = ["--store", "elsewhere"]
    before = sorted(Path("models").rglob("*"))
    capsys.readouterr()
    assert run(["apply", "plan.json", *arguments]) == 3
    error = capsys.readouterr().err
    assert "nothing was written: not as in plan.json: " in error
    assert told in error
    assert sorted(Path("models").rglob("*")) == before
    assert not Path("elsewhere").exists()


def test_a_plan_for_a_server_follows_its_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOllama(tmp_path / "served") as server:
        assert run(["plan", "r.yaml", "--store", server.url, "-o", "plan.json"]) == 0
        server.version = "0.34.0"
        assert run(["apply", "plan.json"]) == 3
        assert "tool ollama: 0.33.0 -> 0.34.0" in capsys.readouterr().err
        server.version = "0.33.0"
        assert run(["apply", "plan.json", "--quiet"]) == 0


def test_a_server_that_is_older_than_the_model_gets_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(RECIPE + 'requires: "0.20.0"\n')
    with FakeOllama(tmp_path / "served", version="0.12.5") as server:
        assert run(["plan", "r.yaml", "--store", server.url]) == 0
        assert "the model needs Ollama 0.20.0 or newer" in capsys.readouterr().out
        assert run(["apply", "r.yaml", "--store", server.url]) == 3
        assert "nothing was written: the model needs Ollama 0.20.0 or newer" in capsys.readouterr().err
        assert not list((tmp_path / "served").rglob("sha256-*"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "is no plan of modelsmith"),
        ('{"kind": "modelsmith plan", "version": 2}', "reads version 1"),
        ('{"kind": "modelsmith plan", "version": 1, "name": "x"}', "does not hold what it should"),
        ("PLAN", "this is no JSON"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.json").write_text(text)
    assert run(["apply", "plan.json"]) == 3
    assert told in capsys.readouterr().err


def test_options_that_would_make_it_another_plan_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    save()
    for option in (["--set", "a=b"], ["--as-is"], ["--locked"], ["--modelfile", "M"]):
        assert run(["apply", "plan.json", *option]) == 2
        assert option[0] in capsys.readouterr().err
    assert run(["plan", "r.yaml", "-o", "plan.txt"]) == 2
