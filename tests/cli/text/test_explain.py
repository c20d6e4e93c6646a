"""``modelsmith explain``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_templates import R1_NEW, R1_OLD
from fakes.ollama import FakeOllama

from modelsmith.cli import run
from modelsmith.models.sources.sample import samples
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments, "--store", "store"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_one_screen_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "sample:deepseek-r1")
    lines = text.splitlines()
    assert len(lines) <= 45
    assert lines[0] == "sample:deepseek-r1 on Ollama 0.33.0: the Jinja template inside the GGUF runs, in llama-server"
    assert "so the TEMPLATE is not used" in lines[1]
    for title in ("versions", "who sees what", "where answers end", "cache", "to let another template run", "next"):
        assert any(line.startswith(title) for line in lines), title
    assert "→ 0.30.11 and later" in text
    assert "│ held <think>⏎They ask" in text
    assert "modelsmith plan force-think --set base=sample:deepseek-r1" in text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(output(capsys, "sample:deepseek-r1", "--json"))
    assert (data["source"], data["ollama"], data["capabilities"]) == ("jinja", "0.33.0", ["thinking", "tools"])
    assert data["versions"][-1]["capabilities"] == ["thinking", "tools"]
    assert [row["think"] for row in data["thinks"]] == [None, True, False]
    assert data["stops"]["missing"] == []
    assert data["cache"]["holds"] is False
    assert data["cache"]["breaks"][0]["place"] == "answer"
    assert len(data["ways"]) == 6


def test_another_version(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "sample:deepseek-r1", "--target-ollama", "v0.12")
    assert text.startswith("sample:deepseek-r1 on Ollama 0.12.0: the Go TEMPLATE runs\n")
    assert "→ 0.9.0 " in text


@pytest.mark.parametrize(
    ("modelfile", "jinja", "expected"),
    [
        (f'TEMPLATE """{R1_OLD}"""', None, "the Go TEMPLATE runs"),
        (f'TEMPLATE """{R1_OLD}"""', samples()["deepseek-r1"][1], "the Jinja template inside the GGUF runs"),
        (f'TEMPLATE """{R1_NEW}"""', None, "reasoning between <think> and </think>"),
        ("RENDERER qwen3.5\nPARSER qwen3.5", None, "PARSER qwen3.5 reads the answer"),
        ("", None, 'nothing stops at <|im_end|>: add PARAMETER stop "<|im_end|>"'),
        (
            "TEMPLATE {{ currentDate }}{{ range .Messages }}|{{ .Content }}{{ end }}",
            None,
            "the prompt has the date in it",
        ),
        ("TEMPLATE {{ currentDate }}{{ .Prompt }}", None, "refused: the template fails"),
    ],
)
def test_kinds_of_models(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, modelfile: str, jinja: str | None, expected: str
) -> None:
    write_sample(tmp_path / "x.gguf", chat_template=jinja)
    (tmp_path / "Modelfile").write_text(f"FROM ./x.gguf\n{modelfile}\n")
    text = output(capsys, "Modelfile")
    assert expected in text
    assert len(text.splitlines()) <= 45


def test_a_from_that_is_not_here(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text(f'FROM nowhere:7b\nTEMPLATE """{R1_NEW}"""\n')
    assert "what follows is from the Modelfile alone" in output(capsys, "Modelfile")


def test_a_broken_template_is_shown_at_its_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text('FROM nowhere\nTEMPLATE """\n{{ .Prompt }}\n  {{ foo }}"""\n')
    assert run(["explain", "Modelfile", "--store", "store"]) == 3
    error = capsys.readouterr().err.splitlines()
    assert error[:3] == [
        'Modelfile:4:6: error: function "foo" not defined [template-syntax]',
        '      {{ foo }}"""',
        "         ^",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 3, '"nowhere" was not found'),
        (["./nothing.gguf"], 3, "does not exist"),
        (["sample:deepseek-r2"], 2, 'did you mean "deepseek-r1"?'),
        (["sample:deepseek-r1", "--target-ollama", "new"], 2, '"new" is not a version of Ollama'),
    ],
)
def test_what_cannot_be_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    Path("store").mkdir()
    assert run(["explain", *arguments, "--store", "store"]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_texts_of_others_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_sample(tmp_path / "x.gguf", special_tokens=("<s>", "</s>\x1b[2J"))
    (tmp_path / "Modelfile").write_text('FROM ./x.gguf\nTEMPLATE {{ "\\x1b[2J" }}{{ .Prompt }}[bold]\n')
    assert "\x1b" not in output(capsys, "Modelfile")


def test_next_commands_work(capsys: pytest.CaptureFixture[str]) -> None:
    """What is named as a next command was tried; why another is not named is said."""
    Path("Modelfile").write_text(
        'FROM sample:deepseek-r1\nTEMPLATE """{{ if .System }}{{ .System }}{{ end }}{{ .Prompt }}<think>\n</think>\n"""\n'
    )
    answer = json.loads(output(capsys, "Modelfile", "--json"))
    lines = [each["line"] for each in answer["commands"]]
    assert not any("force-think" in line for line in lines)
    assert any(
        "the recipe force-think fails here: the template itself closes <think>" in note for note in answer["notes"]
    )
    for line in lines:
        assert run([*line.split()[1:], "--store", "store"]) == 0


def test_a_server_is_asked_once_about_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOllama(tmp_path / "server") as fake:
        write_sample(tmp_path / "m.gguf")
        Path("Modelfile").write_text(f'FROM ./m.gguf\nTEMPLATE """{R1_NEW}"""\n')
        assert run(["create", "mario", "--store", fake.url]) == 0
        fake.requests.clear()
        capsys.readouterr()
        assert run(["explain", "mario", "--store", fake.url]) == 0
        assert "force-think" in capsys.readouterr().out
        # the model, and whether there is one of the name that each of two recipes would give; all were asked about twice and more
        assert fake.requests.count(("POST", "/api/show")) == 3
        for _ in range(2):  # what may change a model asks each time
            assert run(["show", "mario", "--store", fake.url]) == 0
        assert fake.requests.count(("POST", "/api/show")) == 5
