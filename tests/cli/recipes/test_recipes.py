"""``modelsmith recipes``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.recipe.format.jsonschema import recipe_schema
from modelsmith.recipe.read.bundled import bundled_recipes
from modelsmith.recipe.read.load import load_recipe


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["recipes", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "list")
    for name in bundled_recipes():
        assert f"{name}  {load_recipe(name).description}\n" in text
    assert "num_ctx  the context window in tokens; every token of it costs memory  (integer; default 16384)" in text


def test_list_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = {recipe["name"]: recipe for recipe in json.loads(output(capsys, "list", "--json"))}
    assert list(data) == list(bundled_recipes())
    assert data["long-context"]["inputs"]["num_ctx"] == {
        "required": False,
        "description": "the context window in tokens; every token of it costs memory",
        "type": "integer",
        "default": 16384,
        "minimum": 1.0,
        "choices": None,
        "env": None,
        "secret": False,
    }


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    path = bundled_recipes()["no-think"]
    text = output(capsys, "show", "no-think")
    assert path.read_text(encoding="utf-8") in text
    assert text == output(capsys, "show", str(path))


def test_show_tells_all_about_inputs_and_what_is_extended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "child.yaml"
    path.write_text(
        "name: child\nextends: no-think\n"
        "inputs: {team: {env: TEAM, choices: [red, green], description: whose}, on: {type: boolean, default: true}}"
    )
    text = output(capsys, "show", str(path))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "team whose (required; one of red, green; or environment variable TEAM)" in lines
    assert "on (boolean; default true)" in lines
    assert text.count("\n# ") > 1
    data = json.loads(output(capsys, "show", str(path), "--json"))
    assert data["extends"] == [str(bundled_recipes()["no-think"])]
    assert data["recipe"]["create"] == "${name}"
    assert "extends" not in data["recipe"]


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(output(capsys, "schema")) == recipe_schema()


def test_new(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "modelsmith plan ./My-Recipe.yaml" in output(capsys, "new", "My-Recipe.yaml")
    assert load_recipe("./My-Recipe.yaml").name == "my-recipe"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "force-thinc"], 2, 'no bundled recipe "force-thinc"; did you mean "force-think"?'),
        (["show", "bad.yaml"], 2, 'bad.yaml:2:1: error: unknown key "form"; did you mean "from"? [unknown-key]'),
        (["new", "bad.yaml"], 2, "bad.yaml exists already and is not what would be written: it would be lost"),
        (["new", "recipe.json"], 2, '"recipe.json" is not the name of a YAML file'),
        (["new", "no/such/folder/x.yaml"], 2, "there is no folder no/such/folder"),
        (["list", "--jsn"], 2, "No such option"),
    ],
)
def test_failures(
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("name: bad\nform: x\ncreate: y\n")
    before = sorted(tmp_path.iterdir())
    assert run(["recipes", *arguments]) == code
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
