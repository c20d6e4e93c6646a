"""The recipe key ``adapters``: merged when the model is created, or named in ADAPTER for an old Ollama."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_models import INNER, WIDTH, product, read_gguf, write_adapter, write_base

from modelsmith.cli import run
from modelsmith.errors import InvalidAdapter, Unsupported, UsageError
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.adapters.convert import convert_adapter
from modelsmith.weights.adapters.merge import merge_adapters
from modelsmith.weights.gguf import GGUFFile

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

MODULE = {"model.layers.0.mlp.up_proj": (INNER, WIDTH)}


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def planned(folder: Path, text: str, version: str | None = None) -> Plan:
    recipe = f"name: tuned\nfrom: ./base.gguf\n{text}\ncreate: tuned\n"
    resolved = parse_recipe(recipe, folder=folder).resolve({})
    return plan(resolved, LocalStore(folder / "models"), folder=folder, version=version)


def test_they_are_merged_and_the_next_plan_finds_nothing_to_do(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    made = write_adapter(tmp_path / "a", MODULE, rank=4, lora_alpha=4)
    plan_ = planned(tmp_path, "adapters: ./a=0.5")
    assert any("adapters: a changes 1 tensors, rank 4, weight 0.5" in note for note in plan_.after.notes)
    model = apply(plan_).model
    assert model.weights is not None
    found, before = read_gguf(model.weights), read_gguf(base)
    name = "blk.0.ffn_up.weight"
    wanted = before[name] + product(made, next(iter(MODULE)), 0.5)
    assert abs(found[name] - wanted).max() < 2e-3
    assert all((found[other] == before[other]).all() for other in before if other != name)
    again = planned(tmp_path, "adapters: ./a=0.5")
    assert not again.changes
    assert planned(tmp_path, "adapters: ./a=0.6").changes


def test_they_are_merged_before_quantizing(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", rank=4)
    model = apply(planned(tmp_path, "adapters: [./a]\nquantize: Q8_0")).model
    merge_adapters(base, [(tmp_path / "a", 1.0)], tmp_path / "wanted.gguf", mix="Q8_0")
    assert model.weights is not None
    found, wanted = GGUFFile.open(model.weights), GGUFFile.open(tmp_path / "wanted.gguf")
    for one, other in zip(found.tensors, wanted.tensors, strict=True):
        assert found.data_of(one).read() == wanted.data_of(other).read(), one.name


def test_an_old_ollama_gets_the_adapter_itself(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", MODULE)
    convert_adapter(tmp_path / "a", base, tmp_path / "a.gguf")
    old = planned(tmp_path, "adapters: ./a.gguf", "0.30.0")
    assert "ADAPTER" in str(old.after.modelfile)
    assert not old.after.adapters
    assert planned(tmp_path, "adapters: ./a.gguf", "0.34.1").after.adapters
    assert planned(tmp_path, "adapters: ./a", "0.30.0").after.adapters
    assert planned(tmp_path, "adapters: ./a.gguf=0.5", "0.30.0").after.adapters


def test_what_does_not_fit_is_told_by_the_plan(tmp_path: Path) -> None:
    write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", {"model.layers.8.mlp.up_proj": (INNER, WIDTH)})
    with pytest.raises(InvalidAdapter, match="no such tensor"):
        planned(tmp_path, "adapters: ./a")
    with pytest.raises(UsageError, match="there is no adapter"):
        planned(tmp_path, "adapters: ./none")
    apply(planned(tmp_path, "quantize: Q8_0"))
    write_adapter(tmp_path / "b", MODULE)
    resolved = parse_recipe("name: x\nfrom: tuned\nadapters: ./b\ncreate: x\n", folder=tmp_path).resolve({})
    with pytest.raises(Unsupported, match="is quantized"):
        plan(resolved, LocalStore(tmp_path / "models"), folder=tmp_path)


def test_the_bundled_recipe_merges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "a", MODULE)
    settings = [f"base={tmp_path / 'base.gguf'}", f"adapter={tmp_path / 'a'}", "quantize=Q8_0", "name=tuned"]
    arguments = [word for setting in settings for word in ("--set", setting)]
    assert run(["apply", "lora-merge", *arguments, "--store", str(tmp_path / "models")]) == 0
    assert "created and verified" in capsys.readouterr().out
