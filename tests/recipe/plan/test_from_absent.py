"""A Modelfile whose FROM is not here: planned and written from the Modelfile alone, and what is not known is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli import run
from modelsmith.errors import ModelfileRefused, ModelNotFound, ModelsmithError
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore

GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"
FROMS = ["llama3.2:3b", "./model.gguf", "/nowhere/model.gguf"]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def planned(store: LocalStore, folder: Path, origin: str, said: str = "", *, out: str = "", **keys: Any) -> Plan:
    (folder / "Modelfile").write_text(f"FROM {origin}\n{said}")
    recipe = json.dumps({"name": "r", "from": str(folder / "Modelfile"), "create": "made", **keys})
    return plan(parse_recipe(recipe).resolve({}), store, modelfile=folder / out if out else None)


@pytest.mark.parametrize("origin", FROMS)
def test_the_modelfile_alone_is_planned_and_written(store: LocalStore, tmp_path: Path, origin: str) -> None:
    keys: dict[str, Any] = {
        "template": [{"inject": {"text": "<think>\n"}}],
        "system": "be terse",
        "parameters": {"num_ctx": 4096},
        "out": "Written",
    }
    made = planned(store, tmp_path, origin, f"TEMPLATE {GO}\n", **keys)
    assert origin in made.missing
    assert any("planned from the Modelfile alone" in warning for warning in made.warnings)
    assert not made.preview.changes
    applied = apply(made)
    assert applied.changed
    assert applied.model is None
    written = (tmp_path / "Written").read_text()
    path = str(tmp_path / "model.gguf") if origin.startswith("./") else origin
    assert written.startswith(f"FROM {path}\n")
    assert "num_ctx 4096" in written
    assert "be terse" in written
    assert '{{ "<think>\\n" }}' in written
    again = planned(store, tmp_path, origin, f"TEMPLATE {GO}\n", **keys)
    assert not again.changes
    assert not apply(again).changed
    assert not store.models()


@pytest.mark.parametrize("origin", FROMS)
def test_no_model_is_created(store: LocalStore, tmp_path: Path, origin: str) -> None:
    with pytest.raises(ModelNotFound, match=r"made:latest cannot be created: .*FROM"):
        apply(planned(store, tmp_path, origin, system="x"))


@pytest.mark.parametrize(
    "keys",
    [
        {"template": [{"inject": {"text": "<think>\n"}}]},  # in which template is not known
        {"template": [{"make-effective": {}}]},
        {"gguf": {"set": {"general.name": "x"}}},
        {"quantize": "Q8_0"},
        {"merge-shards": True},
    ],
)
def test_what_needs_the_base_says_so(store: LocalStore, tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises(ModelsmithError, match=r"FROM llama3\.2:3b is no file"):
        planned(store, tmp_path, "llama3.2:3b", **keys)


def test_what_ollama_refuses_is_refused(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(ModelfileRefused):
        planned(store, tmp_path, "llama3.2:3b", "PARAMETER num_ctx many\n", system="x")
    with pytest.raises(ModelfileRefused):
        planned(store, tmp_path, "llama3.2:3b", "NONSENSE x\n", system="x")


def test_a_name_that_is_not_here_is_an_error(store: LocalStore) -> None:
    with pytest.raises(ModelNotFound):
        plan(parse_recipe('{"name": "r", "from": "llama3.2:3b", "create": "made", "system": "x"}').resolve({}), store)


def test_the_lines_for_ci_need_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Modelfile").write_text(f"FROM llama3.2:3b\nTEMPLATE {GO}\n")
    recipe = {"name": "r", "from": "./Modelfile", "create": "made", "system": "be terse"}
    Path("r.yaml").write_text(json.dumps(recipe))
    assert run(["plan", "r.yaml", "--store", "store"]) == 0
    shown = capsys.readouterr().out
    assert "planned from the Modelfile alone" in shown
    assert "no model can be created" in shown
    assert "the template that runs" not in shown
    assert run(["plan", "r.yaml", "--store", "store", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"].count("FROM llama3.2:3b is no file")
    assert run(["apply", "r.yaml", "--store", "store"]) == 3
    assert "--modelfile FILE" in capsys.readouterr().err
    assert run(["apply", "r.yaml", "--store", "store", "--modelfile", "Out"]) == 0
    assert "wrote" in capsys.readouterr().out
    assert run(["apply", "r.yaml", "--store", "store", "--modelfile", "Out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
