"""``modelsmith convert`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS = "{% if tools %}{{ tools | tojson | length }}{% endif %}" + CHATML
GO = """{{- range $i, $_ := .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}{{ if not (and (eq .Role "assistant") (eq (len (slice $.Messages $i)) 1)) }}<|im_end|>
{{ end }}{{ end }}<|im_start|>assistant
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))


def test_a_proven_template_is_written_and_renders(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(CHATML)
    assert run(["convert", "chat.jinja", "-o", "chat.gotmpl"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "proven: the same prompt for all" in captured.err
    prompts = []
    for name in ("chat.jinja", "chat.gotmpl"):
        assert run(["render", name, "-s", "Be brief.", "-u", "hello"]) == 0
        prompts.append(capsys.readouterr().out)
    assert prompts[0] == prompts[1]


def test_an_unproven_one_is_refused_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(TOOLS)
    assert run(["convert", "chat.jinja", "-o", "chat.gotmpl"]) == 1
    captured = capsys.readouterr()
    assert not Path("chat.gotmpl").exists()
    assert 'smallest difference: "parameters of each type"' in captured.err
    assert "all without tools are equal" in captured.err
    assert "--allow-different" in captured.err
    assert run(["convert", "chat.jinja", "-o", "chat.gotmpl", "--allow-different"]) == 0
    assert ".Messages" in Path("chat.gotmpl").read_text()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(TOOLS)
    assert run(["convert", "chat.jinja", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["proven_without_tools"]
    assert not answer["proven"]
    assert not answer["accepted"]
    assert answer["counterexample"]["name"] == "parameters of each type"
    assert answer["counterexample"]["conversation"]["tools"]


def test_no_template_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(CHATML.replace("message.content", "message.content | title"))
    assert run(["convert", "chat.jinja", "--json"]) == 1
    assert "no Go template could be written" in json.loads(capsys.readouterr().out)["error"]
    assert run(["convert", "chat.jinja"]) == 1
    assert "hint:" in capsys.readouterr().err


def test_a_model_with_a_chat_template(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", "sample:deepseek-r1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["to"] == "go"
    assert answer["proven"]
    assert "<｜User｜>" in answer["template"]
    assert run(["convert", "sample:deepseek-r1", "--to", "jinja", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["to"] == "jinja"
    assert "{%- for message in ns.talk %}" in answer["template"]


def test_a_go_template_becomes_jinja_and_renders(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.gotmpl").write_text(GO)
    assert run(["convert", "chat.gotmpl", "-o", "chat.jinja"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "proven: the same prompt for all" in captured.err
    assert "note: left out of the comparison: begun answers" in captured.err
    prompts = []
    for name in ("chat.jinja", "chat.gotmpl"):
        assert run(["render", name, "-s", "Be brief.", "-u", "hello"]) == 0
        prompts.append(capsys.readouterr().out)
    assert prompts[0] == prompts[1]


def test_what_jinja_cannot_say_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.gotmpl").write_text("{{ range .Messages }}{{ .Content }}{{ end }}{{ if .IsThinkSet }}!{{ end }}")
    assert run(["convert", "chat.gotmpl", "-o", "chat.jinja"]) == 1
    assert not Path("chat.jinja").exists()
    assert "think false" in capsys.readouterr().err
    assert run(["convert", "chat.gotmpl", "-o", "chat.jinja", "--allow-different"]) == 0
    assert Path("chat.jinja").exists()
    Path("chat.gotmpl").write_text("{{ range .Messages }}{{ yesterdayDate }}{{ end }}")
    assert run(["convert", "chat.gotmpl"]) == 1
    assert "yesterdayDate" in capsys.readouterr().err


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(CHATML + "{{ eos_token }}")
    assert run(["convert", "chat.jinja"]) == 2
    assert "--eos-token" in capsys.readouterr().err
    assert run(["convert", "chat.jinja", "--eos-token", "</s>", "--json"]) == 0
    assert run(["convert", "missing.jinja"]) == 3
    assert run(["convert", "chat.jinja", "--to", "jinja"]) == 2
    assert "is a Jinja template already" in capsys.readouterr().err
    Path("chat.gotmpl").write_text(GO)
    assert run(["convert", "chat.gotmpl", "--to", "go"]) == 2
    assert "--to jinja" in capsys.readouterr().err
    Path("bad.jinja").write_text("{% if %}")
    assert run(["convert", "bad.jinja"]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("chat.jinja", CHATML, "it is what is read"),
        ("Modelfile", "FROM x\nTEMPLATE {{ .Prompt }}\n", "it would be lost"),
        ("m.gguf", "GGUF{{", "it would be lost"),
        ("old.gotmpl", "{{ .Prompt }}", "it would be lost"),
        ("note.txt", "Write {{ .Prompt }} there.\n", "--force replaces it and keeps it as note.txt.old"),
        ("none/chat.gotmpl", None, "no folder none"),
    ],
)
def test_nothing_is_replaced(name: str, text: str | None, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(CHATML)
    if text is not None:
        Path(name).write_bytes(text.encode() + (b"\xff" if name == "m.gguf" else b""))
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert run(["convert", "chat.jinja", "-o", name]) == 2
    assert word in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in Path().iterdir()}


def test_what_force_replaces_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chat.jinja").write_text(CHATML)
    Path("chat.gotmpl").write_text("{{ .Prompt }}")
    assert run(["convert", "chat.jinja", "-o", "chat.gotmpl", "--force"]) == 0
    assert "what stood there is kept as chat.gotmpl.old" in capsys.readouterr().err
    assert Path("chat.gotmpl.old").read_text() == "{{ .Prompt }}"
    assert run(["convert", "chat.jinja", "-o", "chat.gotmpl"]) == 0
    assert ".Messages" in Path("chat.gotmpl").read_text()
