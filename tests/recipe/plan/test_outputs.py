"""The files that ``--modelfile`` writes: nothing that matters is lost by them, and nothing that is missing is overlooked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import Unsupported, UsageError
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import load_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def planned(folder: Path, modelfile: str | Path, base: str | Path = "sample:deepseek-r1") -> Plan:
    recipe = load_recipe("force-think").resolve({"base": str(base), "name": "x"})
    return plan(recipe, LocalStore(folder / "models"), modelfile=folder / modelfile)


def sample(folder: Path) -> Path:
    """Put a GGUF of its own into ``folder``, with a Modelfile whose prompt is edited inside the GGUF too."""
    weights = planned(folder, "unused").before.base.inherited.weights
    assert weights is not None
    path = folder / "own.gguf"
    path.write_bytes(weights.read_bytes())
    return path


@pytest.mark.parametrize("name", ["own", "own.gguf"])
def test_the_weights_that_the_model_is_made_from_are_not_overwritten(tmp_path: Path, name: str) -> None:
    own = sample(tmp_path)
    base = tmp_path / "Base"
    base.write_text(f'FROM {own}\nTEMPLATE """{{{{ range .Messages }}}}{{{{ .Content }}}}{{{{ end }}}}assistant: """\n')
    before = own.read_bytes()
    with pytest.raises(UsageError, match=r"own\.gguf would be overwritten"):
        planned(tmp_path, name, own)
    assert own.read_bytes() == before


def test_a_file_that_is_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada,\n")
    write_sample(tmp_path / "Modelfile.gguf", chat_template="another", special_tokens=("<a>", "<b>"))
    for name, path in (("letter.txt", "letter.txt"), ("Modelfile", "Modelfile.gguf")):
        made = planned(tmp_path, name)
        before = (tmp_path / path).read_bytes()
        assert any(f"{path} is there and not what would be written" in each for each in made.warnings)
        with pytest.raises(UsageError, match="it would be lost"):
            apply(made)
        assert (tmp_path / path).read_bytes() == before
        assert not (tmp_path / "models").exists()
    apply(planned(tmp_path, "Modelfile"), overwrite=True)
    assert (tmp_path / "Modelfile.gguf.old").read_bytes() == before
    assert not planned(tmp_path, "Modelfile").in_the_way
    assert not apply(planned(tmp_path, "Modelfile")).changed


def test_an_older_modelfile_is_kept_too(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text("FROM llama3\n")
    with pytest.raises(UsageError, match="it would be lost"):
        apply(planned(tmp_path, "Modelfile"))
    apply(planned(tmp_path, "Modelfile"), overwrite=True)
    assert (tmp_path / "Modelfile.old").read_text() == "FROM llama3\n"
    (tmp_path / "Modelfile").write_text("FROM other\n")
    apply(planned(tmp_path, "Modelfile"), overwrite=True)
    assert (tmp_path / "Modelfile.old").read_text() == "FROM llama3\n"
    assert (tmp_path / "Modelfile.old.2").read_text() == "FROM other\n"


@pytest.mark.parametrize(("name", "message"), [("nosuch/Modelfile", "there is no folder"), (".", "is a folder")])
def test_a_place_that_cannot_be_written_is_known_in_the_plan(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        planned(tmp_path, name)


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        planned(tmp_path, "pipe")


def test_a_gguf_that_went_missing_or_is_stale_is_written_again(tmp_path: Path) -> None:
    apply(planned(tmp_path, "Modelfile"))
    gguf = tmp_path / "Modelfile.gguf"
    whole = gguf.read_bytes()
    assert not planned(tmp_path, "Modelfile").changes
    weights = planned(tmp_path, "Modelfile").before.base.inherited.weights
    assert weights is not None
    for other in (None, weights.read_bytes()):
        gguf.unlink()
        if other is not None:
            gguf.write_bytes(other)
        again = planned(tmp_path, "Modelfile")
        assert again.changes
        apply(again, overwrite=True)
        assert gguf.read_bytes() == whole


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    apply(planned(tmp_path, "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes().startswith(b"FROM ")


def test_without_a_server_the_command_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        apply(planned(tmp_path, "Modelfile"), via="cli")
    assert not (tmp_path / "Modelfile").exists()
    assert not (tmp_path / "Modelfile.gguf").exists()


def test_what_force_replaces_is_told_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("my notes\n")
    words = ["apply", "force-think", "--set", "base=sample:deepseek-r1", "--modelfile", "mine", "--store", "store"]
    assert run(words) == 2
    assert "mine is there and not what would be written: apply replaces it only with --force" in capsys.readouterr().out
    assert run([*words, "--force"]) == 0
    shown = capsys.readouterr().out
    assert "mine is there and not what would be written: it is replaced, and kept beside it" in shown
    assert "only with --force" not in shown
    assert Path("mine.old").read_text() == "my notes\n"
