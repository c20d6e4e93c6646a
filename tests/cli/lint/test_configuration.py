"""Names that nothing is known by are errors, wherever a configuration says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.cli import run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "no-store"))
    (tmp_path / ".git").mkdir()
    Path("Modelfile").write_text("FROM llama3.2:3b\n")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("modelsmith.toml", '[lnt]\nselect = ["MS1"]\n', 'there is no table "lnt"; did you mean "lint"?'),
        ("modelsmith.toml", 'select = ["MS1"]\n', 'there is no table "select"'),
        ("pyproject.toml", '[tool.modelsmith.lnt]\nselect = ["MS1"]\n', 'no table "lnt"; did you mean "lint"?'),
        ("pyproject.toml", "[tool]\nmodelsmith = 5\n", "tool.modelsmith is 5, not a table"),
        ("modelsmith.toml", '[lint]\nignor = ["MS1"]\n', 'no setting "ignor"; did you mean "ignore"?'),
        ("modelsmith.toml", '[lint]\nignore = ["MS999"]\n', 'lint: there is no rule "MS999"'),
        ("modelsmith.toml", '[lint]\nselect = ["MS9"]\n', 'there is no rule "MS9"'),
        ("modelsmith.toml", '[lint]\nper-file-ignores = { "a" = ["MS199"] }\n', 'there is no rule "MS199"'),
        ("modelsmith.toml", '[lint.policy]\nbaned-parameters = ["x"]\n', 'did you mean "banned-parameters"?'),
        (
            "modelsmith.toml",
            '[lint.policy]\nbanned-parameters = ["num_gpus"]\n',
            'there is no parameter "num_gpus"; did you mean "num_gpu"?',
        ),
    ],
)
def test_unknown_names_in_files(file: str, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(file).write_text(text)
    assert run(["lint"]) == 2
    assert words in capsys.readouterr().err.replace(f"{file}: ", "").replace("ignore: ", "lint: ")


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("code", ["MS999", "MS9", "MS104,MS999", "ms104", "XS1"])
def test_unknown_rules_on_the_command_line(option: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", option, code]) == 2
    error = capsys.readouterr().err
    assert code.rsplit(",", maxsplit=1)[-1] in error
    assert "hint:" in error


def test_known_names() -> None:
    Path("modelsmith.toml").write_text(
        '[lint]\nselect = ["ALL"]\nignore = ["MS0", "MS104"]\n[lint.policy]\nbanned-parameters = ["num_gpu", "tfs_z"]\n'
    )
    assert run(["lint"]) == 0
    Path("modelsmith.toml").unlink()
    Path("pyproject.toml").write_text('[tool.other]\nlnt = 1\n[tool.modelsmith.lint]\nignore = ["MS5"]\n')
    assert run(["lint"]) == 0
