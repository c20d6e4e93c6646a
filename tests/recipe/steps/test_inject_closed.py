"""A base that closes the reasoning that shall be opened, as no-think leaves it: the way out names the model it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_templates import R1_NEW
from fakes.ollama import FakeOllama

from modelsmith.cli import run
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample(tmp_path / "m.gguf")
    Path("Modelfile").write_text(f'FROM ./m.gguf\nTEMPLATE """{R1_NEW}"""\n')


def hint(base: str, where: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["plan", "force-think", "--set", f"base={base}", "--store", where]) != 0
    error = capsys.readouterr().err
    assert "the template itself closes <think>" in error
    return error.partition("hint: ")[2].strip()


def test_the_model_that_it_was_made_from_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOllama(tmp_path / "server") as fake:
        for where in ("store", fake.url):
            assert run(["create", "mario", "--store", where]) == 0
            assert run(["apply", "no-think", "--set", "base=mario", "--set", "name=quiet", "--store", where]) == 0
            said = hint("quiet", where, capsys)
            assert said.startswith(
                "quiet was made from mario:latest: start from that one (--set base=mario:latest), or "
            )
            assert run(["plan", "force-think", "--set", "base=mario:latest", "--store", where]) == 0


def test_without_a_record_the_way_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["create", "mario", "--store", "store"]) == 0
    assert run(["apply", "no-think", "--set", "base=mario", "--set", "name=mario", "--store", "store"]) == 0
    assert hint("mario", "store", capsys).startswith(
        "if it was made from another model, as no-think does, start from that"
    )
    Path("Modelfile").write_text(Path("Modelfile").read_text().replace('"""\n', '<think></think>"""\n'))
    assert hint("Modelfile", "store", capsys).startswith("remove the closing tag from the template first")
