"""A recipe that starts from a model in a registry: planned by manifest and headers, pulled and made when it is applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.registry import FakeRegistry

from modelsmith.errors import DigestMismatch, ModelNotFound, RecipeError
from modelsmith.models.find import resolve_base
from modelsmith.name import ModelName
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import DEEPSEEK_TOKENS, write_sample

GO = "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}[assistant]"
JINJA = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def offered(tmp_path: Path) -> Any:
    store = LocalStore(tmp_path / "theirs")
    gguf = tmp_path / "m.gguf"
    write_sample(gguf, chat_template=JINJA, special_tokens=DEEPSEEK_TOKENS)
    fields = {"template": GO, "system": "Be kind.", "parameters": {"num_ctx": 4096}, "license": ["MIT"]}
    store.create(ModelName.parse("toy"), CreateRequest(fields, {"m.gguf": FileBlob(gguf)}))
    with FakeRegistry() as registry, Mover(Access(insecure=True)) as mover:
        mover.push(store, ModelName.parse("toy"), Reference(registry.host, "team/toy"))
        registry.log.clear()
        yield registry


def planned(store: LocalStore, registry: FakeRegistry, **keys: Any) -> Plan:
    recipe = {"name": "r", "from": f"oci://{registry.host}/team/toy:latest", "create": "made", **keys}
    return plan(parse_recipe(json.dumps(recipe)).resolve({}), store)


@pytest.mark.parametrize(
    "keys",
    [
        {"system": "Be terse."},
        {"template": [{"inject": {"text": "<think>\n"}}], "parameters": {"temperature": 0.5}},
        {"gguf": {"set": {"general.name": "other"}}},
    ],
    ids=["text", "template", "weights"],
)
def test_planned_by_the_header_and_pulled_when_applied(
    tmp_path: Path, offered: FakeRegistry, keys: dict[str, Any]
) -> None:
    store = LocalStore(tmp_path / "ours")
    made = planned(store, offered, **keys)
    assert not store.models()
    (download,) = made.downloads
    assert download.size > 100_000
    assert made.changes
    inherited = made.before.inherited
    assert (inherited.template, inherited.chat_template, inherited.system) == (GO, JINJA, "Be kind.")
    assert inherited.licenses == ("MIT",)
    applied = apply(made)
    assert applied.changed
    assert applied.model is not None
    assert dict(applied.model.parameters)["num_ctx"] == 4096
    assert applied.model.licenses == ("MIT",)
    assert {name.model for name in store.models()} == {"made", "toy"}
    again = planned(store, offered, **keys)
    assert not again.downloads
    assert not apply(again).changed


def test_a_newer_model_in_the_registry_is_pulled_again(tmp_path: Path, offered: FakeRegistry) -> None:
    store = LocalStore(tmp_path / "ours")
    apply(planned(store, offered, system="x"))
    theirs = LocalStore(tmp_path / "theirs")
    theirs.create(ModelName.parse("toy"), CreateRequest({"from": "toy", "system": "Be new."}))
    with Mover(Access(insecure=True)) as mover:
        mover.push(theirs, ModelName.parse("toy"), Reference(offered.host, "team/toy"))
    made = planned(store, offered, parameters={"temperature": 1})
    assert made.downloads
    applied = apply(made)
    assert applied.model is not None
    assert applied.model.system == "Be new."


def test_a_model_that_is_not_there(tmp_path: Path, offered: FakeRegistry) -> None:
    with pytest.raises(ModelNotFound, match="has no model team/none:latest"):
        resolve_base(f"oci://{offered.host}/team/none:latest", LocalStore(tmp_path), tmp_path)


def test_a_registry_that_lies_about_a_small_blob(tmp_path: Path, offered: FakeRegistry) -> None:
    for digest, data in list(offered.blobs.items()):
        if data == b"Be kind.":
            offered.blobs[digest] = b"Be evil."
    with pytest.raises(DigestMismatch, match="other bytes came"):
        planned(LocalStore(tmp_path / "ours"), offered, system="x")


@pytest.mark.parametrize("text", ["oci://", "oci://host", "oci://host/name with blanks", "oci://host/toy", "s3://x/y"])
def test_what_is_no_reference_is_an_error_of_the_recipe(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_recipe(json.dumps({"name": "r", "from": text, "create": "made"})).resolve({})
