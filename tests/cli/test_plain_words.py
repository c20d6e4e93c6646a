"""What is told instead of kept silent, in words of the user."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()


def test_a_message_that_vanishes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text(
        '{{ range .Messages }}{{ if eq .Role "user" }}[{{ .Content }}]{{ else if eq .Role "narrator" }}({{ .Content }}){{ end }}{{ end }}'
    )
    chat = [
        {"role": "user", "content": "hi"},
        {"role": "asistant", "content": "gone"},
        {"role": "narrator", "content": "x"},
    ]
    Path("c.json").write_text(json.dumps(chat))
    assert run(["render", "t.gotmpl", "-c", "c.json"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "[hi](x)"
    told = 'message 2 has the unknown role "asistant"; did you mean "assistant"?: nothing of it is in the prompt'
    assert told in captured.err
    assert "narrator" not in captured.err
    assert run(["render", "t.gotmpl", "-c", "c.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["vanished"] == [told]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("template:\n  - a: 1\n - b: 2\n", "3:2", "indented by 1 blank, and no line that it could belong to is"),
        ("a: r\n  b: x\n", "2:3", 'this line is indented further than "a: r" above it'),
        ("a:\n\tb: 5\n", "2:1", "a tab indents this line"),
        ("a:\n  b: 1\n\tc: 5\n", "3:1", "a tab indents this line"),
        ("a: 1\n- b\n", "2:1", "this line is a list item, and the one above that begins in its column is a key"),
        ("a:\n    b: 1\n  c: 2\n", "3:3", "indented by 2 blanks, and no line that it could belong to is"),
        (
            "a:\n  - b\n  c: 2\n",
            "3:3",
            "this line is a key, and the one above that begins in its column is a list item",
        ),
    ],
)
def test_indentation_of_recipes(text: str, place: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(text)
    assert run(["plan", "./r.yaml"]) == 2
    error = capsys.readouterr().err
    assert f"r.yaml:{place}: error: " in error
    assert words in error
    assert "hint:" in error
    assert "block" not in error


def test_a_plan_tells_what_changes_in_the_model_that_it_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = "name: r\nfrom: sample:deepseek-r1\ncreate: m\n"
    Path("old.yaml").write_text(recipe + "system: Be brief.\nparameters: {top_k: 7}\n")
    Path("new.yaml").write_text(recipe + "parameters: {temperature: 0.1}\n")
    assert run(["plan", "./new.yaml"]) == 0
    assert "which it replaces" not in capsys.readouterr().out
    assert run(["apply", "./old.yaml", "--quiet"]) == 0
    assert run(["plan", "./old.yaml"]) == 0
    assert "which it replaces" not in capsys.readouterr().out
    assert run(["plan", "./new.yaml"]) == 0
    assert "replaces  m:latest" in capsys.readouterr().out
    assert run(["plan", "./new.yaml", "-v"]) == 0
    shown = capsys.readouterr().out
    assert "against m:latest, which it replaces" in shown
    assert "PARAMETER top_k: 7 -> not set" in shown
    assert "Be brief." in shown
    assert run(["plan", "./new.yaml", "--json"]) == 0
    changes = {
        each["name"]: (each["old"], each["new"]) for each in json.loads(capsys.readouterr().out)["against_replaced"]
    }
    assert changes["SYSTEM"] == ("Be brief.", "")
    assert changes["PARAMETER top_k"] == (7, None)


@pytest.mark.parametrize(
    "words",
    [["render", "nosuch", "-u", "x"], ["explain", "./nosuch.gguf"], ["diff", "nosuch", "t"], ["convert", "no.gguf"]],
    ids=" ".join,
)
def test_words_of_nobody(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 3
    error = capsys.readouterr().err
    assert 'base "' not in error
    assert "the file that names them" not in error
    assert any(word in error for word in words[1:] if "nosuch" in word or "no." in word)


def test_no_command_is_answered_with_the_help_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["gguf"]):
        assert run(words) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("Usage: ")
        assert "error:" not in shown
        assert shown.count("Usage:") == 1


def test_a_recipe_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["force-think", "--set", "base=r1"]) == 2
    assert re.search("it is a recipe: .* apply force-think --set base=MODEL", capsys.readouterr().err)


def test_what_makes_a_model_of_a_gguf_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_sample("m.gguf")
    way = "modelsmith apply import-gguf --set base="
    for words in (
        ["export", "./m.gguf", "-o", "m.tar"],
        ["export", "m.gguf", "-o", "m.tar"],
        ["create", "m", "-f", "m.gguf"],
    ):
        assert run(words) in (2, 3)
        assert f"{way}{words[1] if words[0] == 'export' else 'm.gguf'}" in capsys.readouterr().err, words


def test_a_baseline_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text("FROM llama3.2\n")
    assert run(["lint", "--write-baseline", "b.json"]) == 0
    assert "lint leaves them out with --baseline b.json" in capsys.readouterr().err
    assert run(["lint", "--baseline", "b.json"]) == 0
    capsys.readouterr()
    Path("told").mkdir()
    Path("told", "modelsmith.toml").write_text('[lint]\nbaseline = "b.json"\n')
    assert run(["lint", "told", "--write-baseline", "told/b.json"]) == 0
    assert "hint" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["render", "http://h.example/m.gguf", "--user", "x"],
        ["explain", "https://h.example/a/b/c/m.gguf"],
        ["show", "http://h.example/m.gguf"],
        ["plan", "import-gguf", "--set", "base=http://h.example/m.gguf"],
    ],
    ids=lambda words: words[0],
)
def test_a_web_address_is_no_path(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) in {2, 3}
    error = capsys.readouterr().err
    assert "is not a model name" in error
    assert "download the file, then name it" in error
    assert "looked for" not in error
    assert "base=http" not in error.partition("hint:")[2]


def test_doctor_tells_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "md", "nosuch.md"]) == 3
    error = capsys.readouterr().err
    assert "name a text, or - for stdin" in error
    assert "nothing found" not in error


def test_a_message_that_a_template_passes_over_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template, chat = tmp_path / "t.gotmpl", tmp_path / "chat.json"
    template.write_text('{{ range .Messages }}{{ if eq .Role "user" }}U:{{ .Content }}{{ end }}{{ end }}')
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": ""},
    ]
    chat.write_text(json.dumps({"messages": messages}))
    assert run(["render", str(template), "--conversation", str(chat)]) == 0
    told = "message 2 is of the role tool: nothing of it is in the prompt"
    assert told in capsys.readouterr().err
