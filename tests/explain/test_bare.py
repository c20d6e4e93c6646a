"""Templates alone explained, and what think false does where llama-server renders (as a llama-server with forced answers did)."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.explain.explanation import BARE, Explanation, explain_model
from modelsmith.store.local.local import LocalStore

HISTORY = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' and '</think>' in m.content %}"
    "{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\nTAIL{% endif %}"
)
PLAIN = "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}TAIL{% endif %}"
CLOSED = "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))


def explained(name: str, text: str, version: str | None = None) -> Explanation:
    Path(name).write_text(text)
    return explain_model(name, LocalStore("models"), version=version)


def chats(found: Explanation) -> list[str]:
    return [row.chat for row in found.thinks]


@pytest.mark.parametrize(
    ("text", "off"),
    [
        (HISTORY.replace("TAIL", ""), "message.thinking"),
        (HISTORY.replace("TAIL", "<think>\n"), "message.thinking"),
        (HISTORY.replace("TAIL", CLOSED), "none, the prompt closes it"),
    ],
)
def test_think_false_switches_nothing_off_unless_the_prompt_closes_it(text: str, off: str) -> None:
    found = explained("t.jinja", text)
    assert found.effective.source == "jinja"
    assert chats(found) == ["message.thinking", "message.thinking", off]
    assert any("think false is not obeyed" in note for note in found.notes) is (off == "message.thinking")


def test_a_template_in_which_llama_server_finds_no_reasoning() -> None:
    assert chats(explained("t.jinja", PLAIN.replace("TAIL", "<think>\n")))[0] == "content, no opening tag"


def test_a_go_template_alone() -> None:
    found = explained("t.gotmpl", "{{ range .Messages }}{{ .Content }}{{ end }}")
    assert (found.effective.source, BARE in found.notes) == ("go", True)
    assert "unless the Jinja template in the GGUF offers more" in found.effective.reason
    assert not any("plan" in command.line for command in found.commands)


def test_before_jinja_counts() -> None:
    assert explained("t.jinja", PLAIN, "0.29.0").effective.source == "default"


def test_the_commands_take_template_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gotmpl").write_text("{{ .Prompt }}")
    assert run(["explain", "t.gotmpl"]) == 0
    assert "the Go TEMPLATE runs" in capsys.readouterr().out
    assert run(["explain", "none.gotmpl"]) == 3
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["explain", "X"], ["diff", "X", "ok.gotmpl"], ["diff", "ok.gotmpl", "X"], ["render", "X", "-u", "hi"]]
)
@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("bad.gotmpl", "a\n{{ nope .Prompt }}", "bad.gotmpl:2:4: error: function"),
        ("bad.jinja", "a\n{% if %}", "bad.jinja:2:7: error: "),
        ("Modelfile", 'FROM x\nTEMPLATE """a\n  {{ end }}"""\n', "Modelfile:3:10: error: unexpected"),
    ],
)
def test_where_a_template_is_wrong(
    command: list[str], name: str, text: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("ok.gotmpl").write_text("{{ .Prompt }}")
    Path(name).write_text(text)
    assert run([name if word == "X" else word for word in command]) == 3
    error = capsys.readouterr().err
    assert place in error
    assert "\n    " in error
    assert "^" in error
