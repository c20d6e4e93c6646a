"""``modelsmith doctor``."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelsmith.cli import run


def test_cmd_prints_place_reason_and_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "cmd", "ollama run x --max-tokens 300"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "<command>:1:14: error: `ollama run` has no flag --max-tokens [MSD02]"
    assert out[2] == "                 ^^^^^^^^^^^^"
    assert "PARAMETER num_predict 300" in out[3]


def test_words_may_come_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "cmd", "--", "ollama", "run", "x", "--seed", "1"]) == 1
    assert "--seed" in capsys.readouterr().out


def test_advice_alone_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "cmd", "docker pull docker.example.net/ollama/ollama"]) == 0
    assert "[MSD12]" in capsys.readouterr().out
    assert run(["doctor", "cmd", "ollama list"]) == 0


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "cmd", "ollama logs", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["failed"] == []
    (finding,) = body["findings"]
    assert (finding["code"], finding["name"], finding["line"], finding["column"]) == ("MSD02", "fake-flag", 1, 8)


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "cmd", "ollama run x --think", "--target-ollama", "0.8"]) == 1
    assert "0.9.0" in capsys.readouterr().out
    assert run(["doctor", "cmd", "ollama run x --think", "--target-ollama", "new"]) == 2


def test_md_reads_files_by_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text("```sh\nollama logs\n```\n")
    Path("b.sh").write_text("ollama logs\n")
    Path("c.yaml").write_text("services:\n  o:\n    image: ollama/ollama\n    environment:\n      OLLAMA_NUM_GPU: 1\n")
    assert run(["doctor", "md", "a.md", "b.sh", "c.yaml", "lost.md", "--json"]) == 3
    body = json.loads(capsys.readouterr().out)
    assert [(each["path"], each["line"], each["code"]) for each in body["findings"]] == [
        ("a.md", 2, "MSD02"), ("b.sh", 1, "MSD02"), ("c.yaml", 5, "MSD01"),
    ]  # fmt: skip
    assert body["failed"][0]["path"] == "lost.md"


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for text, arguments in ((b"`ollama logs`\n", ["md", "-"]), (b"ollama logs\n", ["cmd", "-"])):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
        assert run(["doctor", *arguments]) == 1
        assert "[MSD02]" in capsys.readouterr().out


def test_env(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_NUM_PARALEL", "2")
    assert run(["doctor", "env"]) == 1
    assert 'did you mean "OLLAMA_NUM_PARALLEL"?' in capsys.readouterr().out


def test_binary_files_are_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "notes.md"
    weights.write_bytes(b"ollama run x\n" + b"\0\n`" * 100_000)
    assert run(["doctor", "md", str(weights)]) == 3
    assert "binary" in capsys.readouterr().err


def test_modelfiles_that_follow_each_other_are_each_their_own(tmp_path: Path) -> None:
    """Plain text without fences: a FROM begins the next one, however many there are."""
    text = "FROM x\nPARAMETER num_ctx 4096\nSYSTEM hi\n\n" * 400
    page = tmp_path / "page.md"
    page.write_text(text)
    assert run(["doctor", "md", str(page)]) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("".join(f"```\nFROM x{number}\nPARAMETER num_ctx 1\n```\n" for number in range(1001)), "1,000 different Modelfiles"),
        ("".join(f"ollama run x --flag{number}\n" for number in range(3_001)), "3,000 findings"),
    ],
    ids=["Modelfiles", "findings"],
)  # fmt: skip
def test_what_takes_too_long_is_refused(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert run(["doctor", "md", str(page)]) == 3
    shown = capsys.readouterr()
    assert f"error: {page}: a text" in shown.err
    assert words in shown.err
    assert "split it" in shown.err


def test_lines_that_nobody_typed_are_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "run.sh"
    page.write_text("echo 'a' \"b\" `c`; " * 50_000 + "\nollama run x --nosuch\n")
    assert run(["doctor", "md", str(page)]) == 1
    assert f"{page}:2:14" in capsys.readouterr().out
