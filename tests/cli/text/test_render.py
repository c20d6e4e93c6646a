"""``modelsmith render``: conversations and tools from files, where a template is wrong, and how a prompt looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.cli.text.render_view import coloured, summary
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.tokens.special import SpecialTokens

TOOL = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}
KNOWN = SpecialTokens(("<|im_start|>", "<|im_end|>"))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))


@pytest.mark.parametrize("option", ["--chat", "--conversation", "-c"])
def test_tools_of_their_own_file(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text(
        "{{ range .Tools }}{{ .Function.Name }}:{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}"
    )
    Path("tools.json").write_text(json.dumps([TOOL]))
    Path("chat.json").write_text(json.dumps([{"role": "user", "content": "hello"}]))
    assert run(["render", "t.gotmpl", option, "chat.json", "--tools", "tools.json"]) == 0
    assert capsys.readouterr().out == "tide:hello"
    assert run(["render", "t.gotmpl", "-u", "hi", "--tools", "tools.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == "tide:hi"


@pytest.mark.parametrize("tools", ["{", '{"a": 1}', "[1]"])
def test_tools_that_are_none(tools: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("tools.json").write_text(tools)
    assert run(["render", "t.gotmpl", "-u", "hi", "--tools", "tools.json"]) in {2, 3}
    assert "tools" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "place", "line"),
    [
        (
            "t.gotmpl",
            "a\n  {{ iff .Prompt }}\n",
            "t.gotmpl:2:6: error: function",
            "      {{ iff .Prompt }}\n         ^",
        ),
        ("Modelfile", 'FROM x\nTEMPLATE """a\n{{ .Prompt }"""\n', "Modelfile:3:12: error: unexpected", "           ^"),
        ("t.jinja", "a\n{{ y z }}\n", "t.jinja:2:6: error: Parser Error: Expected }}", "    {{ y z }}\n         ^"),
        ("t.gotmpl", "a {{ .Role\n\n", "t.gotmpl:1:11: error: unclosed action", "    a {{ .Role\n              ^"),
    ],
)
def test_where_a_template_is_wrong(
    name: str, text: str, place: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_text(text)
    assert run(["render", name, "-u", "hi"]) == 3
    shown = capsys.readouterr().err
    assert place in shown
    assert line in shown
    assert run(["render", name, "-u", "hi", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]


def test_how_a_prompt_looks() -> None:
    text = coloured("<|im_start|>user\nhi\tthere\x1b  ", KNOWN)
    assert text.plain == "<|im_start|>user⏎\nhi⇥there\\x1b··"
    assert [str(span.style) for span in text.spans][:2] == ["bold magenta", "cyan"]
    assert coloured("<|x|>y", None).spans[0].style == "bold magenta"


def test_what_is_counted() -> None:
    assert summary("<|im_start|>a<|im_end|>", KNOWN).startswith("23 characters, 2 special tokens")
    assert "no vocabulary" in summary("a", None)


def test_a_template_that_fails_while_it_renders_has_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("hi\n{{ range .Messages }}日本{{ .Nope.X }}{{ end }}")
    assert run(["render", "t.gotmpl", "-u", "hi"]) == 3
    assert "t.gotmpl:2:32: error: executing" in capsys.readouterr().err
    Path("t.jinja").write_text("a\n{{ nothing() }}")
    assert run(["render", "t.jinja", "-u", "hi"]) == 3
    assert (
        "t.jinja:2:11: error: llama-server does not load it: on one message of a user, the template fails: Callee is not"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"messages": 5}', "c.json:1:14: error: messages is a number"),
        ('{"x": [{"a": "]"}],\n "messages": [{"role": "user"}, {"role": 5}]}', "c.json:2:42: error: messages[1].role"),
        ('[{"role": "user", "images": ["%%"]}]', "c.json:1:30: error: messages[0].images[0] is not base64"),
        ("{no", "c.json:1:2: error: this is not JSON"),
        ('{"messages": [\n', "c.json:1:15: error: this is not JSON"),
        ('"x"', "c.json:1:1: error: conversation is a text"),
    ],
)
def test_where_a_conversation_is_wrong(text: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("c.json").write_text(text)
    assert run(["render", "t.gotmpl", "--conversation", "c.json"]) == 2
    error = capsys.readouterr().err
    assert place in error
    assert "^" in error
    assert run(["render", "t.gotmpl", "--conversation", "c.json", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]
    assert captured.err == error


@pytest.mark.parametrize(
    "arguments",
    [
        ["t.gotmpl"],
        ["t.gotmpl", "-c", "none.json"],
        ["none.gotmpl", "-u", "x"],
        ["nobody", "-u", "x"],
        ["bad.gotmpl", "-u", "x"],
    ],
)
def test_every_error_is_json_when_asked_for(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("bad.gotmpl").write_text("{{ .Prompt")
    assert run(["render", *arguments, "--json"]) in {1, 2, 3}
    assert list(json.loads(capsys.readouterr().out))[:3] == ["error", "hint", "exit_code"]


def test_an_engine_that_a_file_does_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("t.jinja").write_text("{{ messages }}")
    Path("Modelfile").write_text("FROM nobody\nTEMPLATE {{ .Prompt }}\n")
    assert run(["render", "t.gotmpl", "-u", "x", "--engine", "jinja"]) == 2
    assert "is a Go template" in capsys.readouterr().err
    assert run(["render", "t.jinja", "-u", "x", "--engine", "go"]) == 2
    assert "is a Jinja template" in capsys.readouterr().err
    assert run(["render", "Modelfile", "-u", "x", "--engine", "jinja"]) == 2
    assert "no Jinja template is at hand" in capsys.readouterr().err
    assert run(["render", "t.gotmpl", "-u", "x", "--engine", "go"]) == 0


def test_a_file_may_begin_with_a_byte_order_mark(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    Path("c.json").write_text('\ufeff{"prompt": "hello"}')
    assert run(["render", "t.gotmpl", "-c", "c.json"]) == 0
    assert capsys.readouterr().out == "hello"


def test_what_ollama_would_refuse_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write_sample("m.gguf")
    Path("Modelfile").write_text("FROM ./m.gguf\nTEMPLATE {{ .Prompt }}\n")
    asked = ["render", "Modelfile", "-u", "hi"]
    assert run(asked) == 0
    assert not capsys.readouterr().err
    assert run([*asked, "--think", "true"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "hi"
    assert "the model does not support thinking" in captured.err
    Path("tools.json").write_text(json.dumps([TOOL]))
    assert run([*asked, "--tools", "tools.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"] == "the model does not support tools"
    Path("c.json").write_text('{"prompt": "a", "suffix": "b"}')
    assert run([*asked[:2], "-c", "c.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"] == "the model does not support insert"


def test_every_character_of_a_template_is_in_the_prompt_and_a_chat_from_windows_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template, chat = tmp_path / "t.gotmpl", tmp_path / "chat.json"
    template.write_text("\ufeff{{ range .Messages }}{{ .Content }}{{ end }}", encoding="utf-8")
    chat.write_text('\ufeff{"messages": [{"role": "user", "content": "hi"}]}', encoding="utf-8")
    assert run(["render", str(template), "--conversation", str(chat), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == "\ufeffhi"
