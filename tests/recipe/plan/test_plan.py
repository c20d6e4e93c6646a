"""Plans and their application on an embedded store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.errors import (
    InvalidGGUF,
    ModelfileRefused,
    ModelNotFound,
    ModelsmithError,
    PlanChanged,
    RecipeError,
    StoreError,
    UnreadableFile,
    VerificationFailed,
)
from modelsmith.name import ModelName
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.template.conversation.conversation import Conversation

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "models")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def planned(store: LocalStore, recipe: str = "force-think", **settings: str) -> Plan:
    return plan(load_recipe(recipe).resolve({"base": "sample:deepseek-r1"} | settings), store)


def test_the_main_job_end_to_end(store: LocalStore, tmp_path: Path) -> None:
    first = planned(store)
    assert first.holds
    assert first.changes
    assert first.replaces is None
    assert first.preview.bytes_to_write > 100_000
    assert not (tmp_path / "models" / "manifests").exists(), "a plan writes nothing into the store"
    applied = apply(first)
    assert applied.changed
    assert applied.model.parameters == {"temperature": 0.6, "top_p": 0.95}
    before = snapshot(tmp_path / "models")
    again = planned(store)
    assert not again.changes
    assert apply(again).changed is False
    assert snapshot(tmp_path / "models") == before


def test_a_stored_model_is_the_base_of_the_next_one(store: LocalStore) -> None:
    apply(planned(store))
    second = planned(store, "long-context", base="sample-deepseek-r1-think", num_ctx="4096", system="Be brief.")
    assert {layer.how for layer in second.preview.layers} <= {"exists", "write"}
    model = apply(second).model
    assert model.parameters == {"num_ctx": 4096, "temperature": 0.6, "top_p": 0.95}
    assert model.system == "Be brief."


def test_a_recipe_that_edits_its_own_base_twice_changes_nothing_the_second_time(store: LocalStore) -> None:
    apply(planned(store, name="r1"))
    apply(planned(store, base="r1", name="r1"))
    same = planned(store, base="r1", name="r1")
    assert not same.changes


def test_no_think_closes_the_block_for_every_request(store: LocalStore) -> None:
    model = apply(planned(store, "no-think")).model
    rendered = planned(store, "long-context", base=model.name.short).before
    for think in (None, True, False):
        assert rendered.render(HELLO, think).endswith("<think>\n\n</think>\n\n")


def test_a_broken_promise_stops_before_anything_is_written(store: LocalStore, tmp_path: Path) -> None:
    recipe = parse_recipe(
        "name: r\nfrom: sample:deepseek-r1\nparameters: {top_k: 5}\ncreate: x\nexpect:\n  - prompt-ends-with: nonsense\n"
    ).resolve()
    broken = plan(recipe, store)
    assert not broken.holds
    with pytest.raises(VerificationFailed, match="nothing was written"):
        apply(broken)
    assert not (tmp_path / "models" / "manifests").exists()


def test_a_target_that_moved_since_the_plan_is_not_overwritten(store: LocalStore) -> None:
    stale = planned(store, name="x")
    apply(plan(parse_recipe("name: r\nfrom: sample:deepseek-r1\ncreate: x\n").resolve(), store))
    with pytest.raises(PlanChanged, match="changed since the plan"):
        apply(stale)


def test_the_modelfile_that_is_written_makes_the_same_model(store: LocalStore, tmp_path: Path) -> None:
    target = tmp_path / "out" / "Modelfile"
    target.parent.mkdir()
    recipe = load_recipe("force-think").resolve({"base": "sample:deepseek-r1"})
    model = apply(plan(recipe, store, modelfile=target)).model
    other = LocalStore(tmp_path / "other")
    by_hand = parse_recipe(f"name: r\nfrom: {target}\ncreate: {model.name.short}\n").resolve()
    assert apply(plan(by_hand, other)).model.digest == model.digest
    assert not plan(recipe, store, modelfile=target).changes


def test_as_is_keeps_the_bytes_of_the_file(store: LocalStore, tmp_path: Path) -> None:
    recipe = parse_recipe("name: r\nfrom: sample:deepseek-r1\ncreate: x\n").resolve()
    kept = plan(recipe, store, as_is=True)
    assert {layer.how for layer in kept.preview.layers} & {"link", "copy"}
    model = apply(kept).model
    weights = kept.before.base.inherited.weights
    assert weights is not None
    assert model.weights is not None
    assert model.weights.read_bytes() == weights.read_bytes()


def failing(tmp_path: Path, store: LocalStore, text: str) -> ModelsmithError:
    """Plan a recipe that cannot work, and check that it says how to go on and leaves nothing behind."""
    before = snapshot(tmp_path)
    with pytest.raises(ModelsmithError) as caught:
        plan(parse_recipe(text, folder=tmp_path).resolve(here=tmp_path), store, folder=tmp_path)
    assert snapshot(tmp_path) == before
    assert caught.value.hint
    return caught.value


def test_a_base_that_does_not_exist_says_what_was_tried(tmp_path: Path, store: LocalStore) -> None:
    error = failing(tmp_path, store, "name: r\nfrom: nosuchmodel\ncreate: x\n")
    assert isinstance(error, ModelNotFound)
    assert "no such file" in error.message
    assert str(tmp_path / "models") in error.message
    assert "sample:deepseek-r1" in error.hint


@pytest.mark.parametrize("missing", ["./nosuch.gguf", "/nosuch/Modelfile", "x.gguf"])
def test_a_missing_file_is_named(tmp_path: Path, store: LocalStore, missing: str) -> None:
    error = failing(tmp_path, store, f"name: r\nfrom: {missing}\ncreate: x\n")
    assert isinstance(error, UnreadableFile)
    assert "does not exist" in error.message


def test_an_unknown_sample_is_told_the_known_ones(tmp_path: Path, store: LocalStore) -> None:
    error = failing(tmp_path, store, "name: r\nfrom: sample:deepsek-r1\ncreate: x\n")
    assert 'did you mean "deepseek-r1"?' in error.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML|web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4\n", "LFS"),
        (b"GGUF\x03\x00\x00\x00", "truncated|ends|short|incomplete"),
        (b"", "empty"),
    ],
    ids=["html", "lfs", "truncated", "empty"],
)
def test_what_is_no_gguf_is_told_apart(tmp_path: Path, store: LocalStore, content: bytes, words: str) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    error = failing(tmp_path, store, "name: r\nfrom: ./model.gguf\ncreate: x\n")
    assert isinstance(error, InvalidGGUF)
    assert any(word.casefold() in str(error).casefold() for word in words.split("|")), str(error)


def test_a_modelfile_that_ollama_refuses_is_not_planned(tmp_path: Path, store: LocalStore) -> None:
    (tmp_path / "Modelfile").write_text("FROM x\nBADWORD y\n")
    assert isinstance(failing(tmp_path, store, "name: r\nfrom: ./Modelfile\ncreate: x\n"), ModelfileRefused)


def test_a_modelfile_whose_base_is_not_here_says_so(tmp_path: Path, store: LocalStore) -> None:
    (tmp_path / "Modelfile").write_text("FROM nosuchmodel\n")
    recipe = parse_recipe("name: r\nfrom: ./Modelfile\ncreate: x\n", folder=tmp_path)
    made = plan(recipe.resolve(), store)
    assert "FROM nosuchmodel is no file in" in made.missing
    with pytest.raises(ModelNotFound) as caught:
        apply(made)
    assert "FROM nosuchmodel is no file in" in caught.value.message
    assert "ollama pull nosuchmodel" in caught.value.hint


def test_a_refused_parameter_of_the_base_says_where_it_is(tmp_path: Path, store: LocalStore) -> None:
    (tmp_path / "Modelfile").write_text("FROM x\nPARAMETER num_ctx many\n")
    error = failing(tmp_path, store, "name: r\nfrom: ./Modelfile\ncreate: x\n")
    assert isinstance(error, ModelfileRefused)
    assert "Modelfile" in error.message
    assert "many" in error.message


def test_a_folder_is_called_a_folder(tmp_path: Path, store: LocalStore) -> None:
    (tmp_path / "weights").mkdir()
    error = failing(tmp_path, store, "name: r\nfrom: weights\ncreate: x\n")
    assert "is a folder" in error.message


def test_a_template_that_does_not_parse_is_refused_where_the_recipe_is_read() -> None:
    with pytest.raises(RecipeError, match=r":3:11: template: Ollama refuses it: .*unexpected EOF"):
        parse_recipe('name: r\nfrom: sample:deepseek-r1\ntemplate: "{{ if .X }}"\ncreate: x\n').resolve()


@pytest.mark.usefixtures("ordinary_user")
def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match=str(folder)):
        apply(planned(LocalStore(folder)))


def test_a_store_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("I am a file")
    with pytest.raises(StoreError, match="models"):
        apply(planned(LocalStore(tmp_path / "models")))


def test_names_are_checked(store: LocalStore) -> None:
    assert planned(store, name="team/r1:x").name == ModelName.parse("team/r1:x")


def test_what_ollama_detects_follows_the_jinja_template_that_is_set(store: LocalStore) -> None:
    chatml = (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    text = f"name: r\nfrom: sample:deepseek-r1\ngguf: {{set: {{tokenizer.chat_template: {chatml!r}}}}}\ncreate: x\n"
    before = plan(parse_recipe(text.replace(repr(chatml), json.dumps(chatml))).resolve(), store)
    assert before.after.inherited.detected == "chatml"
    model = apply(before).model
    assert model.chat_template == chatml
    assert model.parameters == {"stop": ["<|im_start|>", "<|im_end|>"]}
    assert planned(store, base="x").holds
