"""``modelsmith parse``."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsmith.cli import run

GOOD = 'FROM m\nPARAMETER temperature 0.7\nSYSTEM """\nhi [bold]you[/]\n"""\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good").write_text(GOOD)
    (tmp_path / "bad").write_text("FROM m\nSYSTM x\n")
    (tmp_path / "lost").write_text("FROM m\nADAPTER nope\n")
    return tmp_path


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json_is_one_object_a_file(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert run(["parse", "good", "bad", "lost", "--json"]) == 1
    good, bad, lost = lines(capsys)
    assert good["commands"] == [
        {"name": "model", "args": "m"},
        {"name": "temperature", "args": "0.7"},
        {"name": "system", "args": "\nhi [bold]you[/]\n"},
    ]
    assert good["request"] == {
        "model": "", "from": "m", "system": "\nhi [bold]you[/]\n", "parameters": {"temperature": 0.7}, "name": "",
    }  # fmt: skip
    assert bad["path"] == "bad"
    assert bad["error"]["line"] == 2  # type: ignore[index]
    assert bad["error"]["message"].startswith("command must be one of")  # type: ignore[index]
    assert lost["request_error"] == f"stat {folder.resolve()}/nope: no such file or directory"
    assert "request" not in lost


def test_all_fine_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parse", "good", "--json"]) == 0
    assert run(["parse", "good"]) == 0
    assert run(["parse", "lost", "--no-request"]) == 0
    assert capsys.readouterr().err == ""


def test_a_missing_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parse", "nope", "good", "bad", "."]) == 3
    captured = capsys.readouterr()
    assert "nope does not exist" in captured.err
    assert ". is a directory" in captured.err
    assert "temperature" in captured.out
    assert run(["parse", "nope", "good", "--json"]) == 3
    missing, good = lines(capsys)
    assert missing == {"path": "nope", "failed": "nope does not exist"}
    assert "commands" in good


def test_the_listing_shows_places_and_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    run(["parse", "good"])
    out = capsys.readouterr().out
    assert "PARAMETER temperature" in out
    assert "hi [bold]you[/]" in out


def test_a_refused_file_shows_ollamas_words_and_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parse", "bad"]) == 1
    err = capsys.readouterr().err
    assert "(line 2): command must be one of" in err
    assert "bad:2:1: error" in err
    assert 'did you mean "SYSTEM"?' in err
    assert "^^^^^" in err


def test_a_refused_request_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parse", "lost"]) == 1
    assert "no such file or directory" in capsys.readouterr().err


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"\xff\xfe" + "FROM m".encode("utf-16-le"))))
    assert run(["parse", "-", "--json"]) == 0
    assert lines(capsys) == [
        {"path": "-", "commands": [{"name": "model", "args": "m"}], "request": {"model": "", "from": "m", "name": ""}}
    ]


def test_older_versions(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "new").write_text("FROM m\nRENDERER qwen3-coder\n")
    assert run(["parse", "new", "--json"]) == 0
    assert run(["parse", "new", "--json", "--target-ollama", "0.11.0"]) == 1
    assert run(["parse", "new", "--target-ollama", "newest"]) == 2
    assert "is not a version" in capsys.readouterr().err


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "evil").write_text("FROM m\n\x1b[31mBAD\n")
    assert run(["parse", "evil"]) == 1
    assert "\x1b[31m" not in capsys.readouterr().err
