"""What a plan warns of: a disk that is too small, a damaged model that will be replaced; and inputs with a minimum."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import InjectionError, RecipeError, UsageError
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.bundled import find_recipe
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.go.template import Template
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def planned(store: LocalStore) -> Plan:
    text = "name: r\nfrom: sample:deepseek-r1\nparameters: {num_ctx: 4096}\ncreate: made\n"
    return plan(parse_recipe(text).resolve(environment={}), store)


def test_a_disk_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "not" / "yet" / "there")
    assert planned(store).warnings == ()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    warning = planned(store).warnings[0]
    assert "the disk is too small" in warning
    assert "1,000 are free" in warning


def test_a_damaged_model_is_not_replaced_without_telling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path / "store")
    apply(planned(store))
    manifest = next(path for path in (tmp_path / "store" / "manifests").rglob("*") if path.is_file())
    manifest.write_text("{")
    made = planned(store)
    assert made.replaces is None
    assert "made:latest stands there damaged and will be replaced" in made.warnings[0]
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\nfrom: sample:deepseek-r1\nparameters: {num_ctx: 4096}\ncreate: made\n")
    assert run(["plan", str(recipe), "--store", str(tmp_path / "store")]) in {0, 1}
    out = capsys.readouterr().out
    assert "~ replace made" in out
    assert "warning: made:latest stands there damaged" in out
    assert run(["plan", str(recipe), "--store", str(tmp_path / "store"), "--json"]) in {0, 1}
    assert "damaged" in json.loads(capsys.readouterr().out)["warnings"][0]
    assert apply(made).changed
    assert planned(store).warnings == ()


@pytest.mark.parametrize("value", ["0", "-5"])
def test_a_context_that_is_none_is_refused(value: str) -> None:
    recipe = load_recipe(find_recipe("long-context"))
    with pytest.raises(UsageError, match=f'num_ctx must be at least 1, not "{value}"'):
        recipe.resolve({"base": "x", "num_ctx": value}, environment={})


def test_a_default_below_the_minimum_has_its_place() -> None:
    text = "name: r\nfrom: x\ninputs:\n  n: {type: integer, minimum: 3, default: 2}\ncreate: made\n"
    with pytest.raises(RecipeError, match="expected at least 3, found"):
        parse_recipe(text)


def test_equal_tags_are_refused() -> None:
    template = Template.parse("{{ range .Messages }}{{ .Role }}{{ .Content }}{{ end }}")
    with pytest.raises(InjectionError, match="opens and closes the reasoning") as caught:
        declare_thinking(template, "<t>", "<t>")
    assert caught.value.hint


def test_what_the_recipe_itself_brings_in_is_linted(tmp_path: Path) -> None:
    text = "name: r\nfrom: sample:deepseek-r1\nparameters: {num_ctx: 9999999}\ncreate: made\n"
    warning = plan(parse_recipe(text).resolve(environment={}), LocalStore(tmp_path)).warnings[0]
    assert "9,999,999 is more than the" in warning
    assert "[MS204]" in warning


def test_what_the_base_had_already_is_not_the_recipes_fault(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    base = tmp_path / "Modelfile"
    base.write_text(f"FROM {tmp_path / 'm.gguf'}\nPARAMETER num_ctx 9999999\n")
    text = f"name: x\nfrom: {base}\nparameters: {{top_k: 3}}\ncreate: made\n"
    assert plan(parse_recipe(text).resolve(environment={}), LocalStore(tmp_path / "store")).warnings == ()


PLAIN = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "tokens", "warned"),
    [
        (PLAIN, ("<eos>",), True),
        (PLAIN, ("<eos>", "<think>", "</think>"), False),
        (PLAIN.replace("m.content", "m.content.split('</think>')[-1]"), ("<eos>",), False),
    ],
    ids=["nothing", "vocabulary", "template"],
)
def test_a_model_that_shows_no_sign_of_reasoning(
    tmp_path: Path, template: str, tokens: tuple[str, ...], warned: bool
) -> None:
    base = tmp_path / "m.gguf"
    write_sample(base, chat_template=template, special_tokens=tokens)
    recipe = load_recipe("force-think").resolve({"base": str(base), "name": "x"})
    made = plan(recipe, LocalStore(tmp_path / "models"))
    assert made.holds
    assert any("nothing shows that this model reasons" in each for each in made.warnings) == warned
