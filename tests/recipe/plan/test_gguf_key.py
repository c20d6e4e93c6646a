"""The keys ``gguf`` and ``merge-shards`` of a recipe: planned as a difference, stored, kept when applied again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli.recipes.plan_json import plan_data
from modelsmith.errors import ModelsmithError, Unsupported, UsageError
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.metadata import metadata_rows
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.arrange.split import plan_split, write_split
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.types import ValueType

JINJA = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{{ eos_token }}<|assistant|>"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    write_sample(tmp_path / "m.gguf", chat_template=JINJA)
    return LocalStore(tmp_path / "store")


def planned(store: LocalStore, folder: Path, **keys: Any) -> Plan:
    text = json.dumps({"name": "r", "from": str(folder / "m.gguf"), "create": "made", **keys})
    return plan(parse_recipe(text).resolve({}), store, folder=folder)


def weights(model: Any) -> dict[str, Any]:
    assert model.weights is not None
    return dict(GGUFFile.open(model.weights).metadata)


def shards(path: Path, prefix: Path, count: int) -> list[Path]:
    gguf = GGUFFile.open(path)
    made = plan_split(gguf, prefix, max_tensors=-(-len(gguf.tensors) // count))
    write_split(gguf, made)
    return [shard.path for shard in made]


def test_metadata_is_set_and_removed(store: LocalStore, tmp_path: Path) -> None:
    edits = {
        "set": {
            "general.name": "other",
            "general.tags": ["a", "b"],
            "llama.context_length": 4096,
            "my.key": {"type": "u16", "value": 9},
            "llama.block_count": 2,
        },
        "unset": ["general.type", "not.there"],
    }
    context = GGUFFile.open(tmp_path / "m.gguf").metadata["llama.context_length"]
    made = planned(store, tmp_path, gguf=edits)
    assert list(metadata_rows(made.after)) == [
        ("general.name", "modelsmith sample", "other"),
        ("general.tags", None, ["a", "b"]),
        ("llama.context_length", context, 4096),
        ("my.key", None, 9),
        ("general.type", "model", None),
    ]
    assert plan_data(made)["gguf"]["my.key"] == 9
    json.dumps(plan_data(made))
    model = apply(made).model
    found = weights(model)
    assert found["general.name"] == "other"
    assert list(found["general.tags"]) == ["a", "b"]
    assert found["my.key"] == 9
    assert "general.type" not in found
    assert not planned(store, tmp_path, gguf=edits).changes
    again = planned(store, tmp_path, gguf=edits, **{"from": "made", "create": "again"})
    assert not again.after.gguf
    assert apply(again).model.weights == model.weights


def test_an_edit_that_changes_nothing_keeps_the_file(store: LocalStore, tmp_path: Path) -> None:
    plain = apply(planned(store, tmp_path)).model
    same = planned(store, tmp_path, gguf={"set": {"general.name": "modelsmith sample"}, "unset": ["none"]})
    assert not same.after.gguf
    assert not same.changes
    assert apply(same).model.weights == plain.weights


def test_another_end_token_shows_in_prompts(store: LocalStore, tmp_path: Path) -> None:
    made = planned(store, tmp_path, gguf={"set": {"tokenizer.ggml.eos_token_id": 258}})
    assert made.after.inherited.ends["eos_token"] == "<｜User｜>"
    assert any(each.verdict != "same" for each in made.comparisons)


@pytest.mark.parametrize(
    ("edits", "error", "reason"),
    [
        ({"set": {"llama.block_count": "x"}}, UsageError, "is of type UINT32"),
        ({"set": {"general.alignment": 64}}, Unsupported, "cannot be edited"),
        ({"set": {"my.key": []}}, UsageError, "empty list"),
        ({"set": {"my.key": {"type": "u8", "value": 300}}}, UsageError, "does not fit"),
    ],
)
def test_what_is_refused(
    store: LocalStore, tmp_path: Path, edits: dict[str, Any], error: type[ModelsmithError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        planned(store, tmp_path, gguf=edits)


def test_a_modelfile_gets_the_edited_file(store: LocalStore, tmp_path: Path) -> None:
    text = json.dumps(
        {"name": "r", "from": str(tmp_path / "m.gguf"), "create": "made", "gguf": {"set": {"general.name": "x"}}}
    )
    made = plan(parse_recipe(text).resolve({}), store, folder=tmp_path, modelfile=tmp_path / "Modelfile")
    apply(made)
    assert GGUFFile.open(tmp_path / "Modelfile.gguf").metadata["general.name"] == "x"
    assert GGUFFile.open(tmp_path / "m.gguf").metadata["general.name"] == "modelsmith sample"


@pytest.mark.parametrize("edits", [None, {"set": {"general.name": "x" * 300}}])
@pytest.mark.parametrize("as_is", [False, True])
def test_shards_become_one(store: LocalStore, tmp_path: Path, edits: dict[str, Any] | None, as_is: bool) -> None:
    paths = shards(tmp_path / "m.gguf", tmp_path / "s", 3)
    keys = {"create": "made", **({"gguf": edits} if edits else {})}
    text = json.dumps({"name": "r", "from": str(paths[0]), "merge-shards": True, **keys})
    made = plan(parse_recipe(text).resolve({}), store, folder=tmp_path, as_is=as_is)
    assert [*made.request.files] == ["s.gguf"]
    merged = apply(made).model
    assert not plan(parse_recipe(text).resolve({}), store, folder=tmp_path, as_is=as_is).changes
    assert not [key for key in weights(merged) if key.startswith("split.")]
    whole = plan(
        parse_recipe(json.dumps({"name": "r", "from": str(tmp_path / "m.gguf"), **keys, "create": "whole"})).resolve(
            {}
        ),
        store,
        folder=tmp_path,
        as_is=as_is,
    )
    assert apply(whole).model.weights == merged.weights


@pytest.mark.parametrize(
    "lines", ["FROM ./shards\n", "FROM ./shards/s-00002-of-00002.gguf\nFROM ./shards/s-00001-of-00002.gguf\n"]
)
def test_shards_of_a_modelfile(store: LocalStore, tmp_path: Path, lines: str) -> None:
    (tmp_path / "shards").mkdir()
    shards(tmp_path / "m.gguf", tmp_path / "shards" / "s", 2)
    (tmp_path / "Modelfile").write_text(f"{lines}SYSTEM hello\n")
    texts = [
        json.dumps({"name": "r", "from": str(tmp_path / "Modelfile"), "create": name, **keys})
        for name, keys in (("merged", {"merge-shards": True}), ("kept", {}))
    ]
    models = [apply(plan(parse_recipe(text).resolve({}), store, folder=tmp_path)).model for text in texts]
    assert models[0].weights == models[1].weights
    assert models[0].system == "hello"


def test_shards_that_cannot_be_merged(store: LocalStore, tmp_path: Path) -> None:
    paths = shards(tmp_path / "m.gguf", tmp_path / "s", 3)
    with pytest.raises(UsageError, match="one of 3 shards") as caught:
        planned(store, tmp_path, **{"from": str(paths[0])})
    assert "merge-shards: true" in caught.value.hint
    with pytest.raises(UsageError, match="whole model"):
        planned(store, tmp_path, **{"merge-shards": True})
    apply(planned(store, tmp_path))
    with pytest.raises(UsageError, match="no shards to merge"):
        planned(store, tmp_path, **{"from": "made", "merge-shards": True})
    paths[2].unlink()
    with pytest.raises(UsageError, match=paths[2].name):
        planned(store, tmp_path, **{"from": str(paths[0]), "merge-shards": True})


def test_weights_that_llama_cpp_refuses_are_told_and_go_on(store: LocalStore, tmp_path: Path) -> None:
    pre = "tokenizer.ggml.pre"
    write_sample(tmp_path / "m.gguf", chat_template=JINJA, metadata={pre: Entry.of(pre, ValueType.STRING, "qwen22")})
    made = planned(store, tmp_path)
    assert any("m.gguf: tokenizer.ggml.pre is" in warning and "does not know" in warning for warning in made.warnings)
    apply(made)
    assert planned(store, tmp_path).replaces is not None
    mended = planned(store, tmp_path, gguf={"set": {pre: "qwen2"}})
    assert not any(pre in warning for warning in mended.warnings)
