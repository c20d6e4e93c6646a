"""Configuration files that would keep us for long, or cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.cli.shared.toml_file import read_toml
from modelsmith.errors import UsageError

HOSTILE = {
    "brackets": ("[lint]\nignore = " + "[" * 100_000, "nested too deep"),
    "tables in tables": ("a = " + "{a = " * 50_000, "nested too deep"),
    "a key of many parts": ("a" + ".a" * 100_000 + " = 1\n", "more than a hundred parts"),
    "a table of many parts": ("[" + "a . " * 200 + "a]\n", "more than a hundred parts"),
    "too large": ("# " + "x" * (256 << 10), "larger than 262,144 bytes"),
    "not TOML": ("a = = 1\n", "is not TOML"),
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Modelfile").write_text("FROM x\n")
    Path("modelsmith.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_toml(Path("modelsmith.toml"), "do without")
    assert run(["lint", "Modelfile"]) == 2
    assert words in capsys.readouterr().err


def test_patterns_are_read() -> None:
    path = Path(__file__).resolve().parents[3] / "pyproject.toml"
    assert "project" in read_toml(path, "")


def test_long_values_are_cut_in_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Modelfile").write_text("FROM x\n")
    Path("modelsmith.toml").write_text("[lint]\nignore = [" + "1, " * 50_000 + "]\n")
    assert run(["lint", "Modelfile"]) == 2
    assert len(capsys.readouterr().err) < 500
