"""What a recipe sets to what its base has already is said in a note, and fails nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli import run
from modelsmith.recipe.plan.already import ALREADY
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

GO = "{{ if .System }}[s]{{ .System }}{{ end }}{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"
SAID = f"""TEMPLATE {GO}
SYSTEM terse
PARAMETER temperature 0.6
PARAMETER stop X
PARAMETER stop Y
MESSAGE user hi
LICENSE MIT
REQUIRES 0.20.0
"""


def planned(folder: Path, **keys: Any) -> Plan:
    write_sample(folder / "m.gguf")
    (folder / "Modelfile").write_text(f"FROM {folder / 'm.gguf'}\n{SAID}")
    recipe = json.dumps({"name": "r", "from": str(folder / "Modelfile"), "create": "made", **keys})
    return plan(parse_recipe(recipe).resolve({}), LocalStore(folder / "store"))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"parameters": {"temperature": 0.6}}, "parameters: temperature 0.6"),
        ({"parameters": {"stop": ["X", "Y"]}}, "parameters: stop X Y"),
        ({"parameters": {"top_k": None}}, "parameters: top_k (none)"),
        ({"template": GO}, "template"),
        ({"template": [{"add-stop": {"stop": ["Y"]}}]}, "add-stop"),
        ({"system": "terse"}, "system"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "messages"),
        ({"license": "MIT"}, "license"),
        ({"requires": "0.20.0"}, "requires"),
        ({"gguf": {"set": {"general.name": "modelsmith sample"}}}, "gguf: general.name"),
        ({"gguf": {"unset": ["no.such"]}}, "gguf: no.such"),
    ],
)
def test_what_the_base_has_already(tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    made = planned(tmp_path, **keys)
    assert ALREADY + told in made.after.notes
    assert not made.without_effect


@pytest.mark.parametrize(
    "keys",
    [
        {"parameters": {"temperature": 0.7, "stop": ["X"]}},
        {"parameters": {"stop": None}},
        {"template": [{"add-stop": {"stop": ["Z"]}}, {"make-effective": {}}]},
        {"system": "verbose", "license": "BSD", "requires": "0.21.0"},
        {"messages": [{"role": "user", "content": "ho"}], "gguf": {"set": {"general.name": "new"}}},
    ],
)
def test_what_changes_is_not_told(tmp_path: Path, keys: dict[str, Any]) -> None:
    assert not any(note.startswith(ALREADY) for note in planned(tmp_path, **keys).after.notes)


def test_the_summary_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(tmp_path)
    monkeypatch.chdir(tmp_path)
    keys = {"parameters": {"temperature": 0.6}, "system": "terse", "advised-parameters": True}
    Path("r.yaml").write_text(json.dumps({"name": "r", "from": "./Modelfile", "create": "made", **keys}))
    assert run(["apply", "r.yaml", "--store", "store", "--quiet"]) == 0
    assert run(["plan", "r.yaml", "--store", "store", "--check"]) == 0
    shown = capsys.readouterr().out
    assert f"note      {ALREADY}parameters: temperature 0.6, system" in shown
    assert "note      advised-parameters: the model advises none" in shown
