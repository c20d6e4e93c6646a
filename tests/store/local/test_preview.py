from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from local_stores import blob_files, request

from modelsmith.errors import ModelNotFound, UsageError
from modelsmith.progress import Progress
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreatePreview, CreateRequest
from modelsmith.weights.blobs.blob import EditedGGUF
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = write_sample(tmp_path / "model.gguf", chat_template="{{ a }}")
    os.utime(path, (time.time() - 60,) * 2)
    return path


def hows(preview: CreatePreview) -> list[str]:
    return [layer.how for layer in preview.layers]


def test_a_new_model(store: LocalStore, gguf: Path) -> None:
    preview = store.preview("a", request({"m.gguf": gguf}, system="x"))
    assert preview.changes
    assert hows(preview) == ["rewrite", "write", "write"]
    assert preview.layers[0].path == gguf
    assert preview.layers[0].digest is None
    assert preview.bytes_to_write == sum(layer.size for layer in preview.layers)
    assert not store.layout.folder.exists()


def test_sizes_are_those_that_are_written(store: LocalStore, gguf: Path) -> None:
    preview = store.preview("a", request({"m.gguf": gguf}, system="x"))
    model = store.create("a", request({"m.gguf": gguf}, system="x"))
    assert model.size == sum(layer.size for layer in preview.layers)


def test_nothing_to_do(store: LocalStore, gguf: Path) -> None:
    wish = request({"m.gguf": gguf}, system="x", parameters={"seed": 1})
    store.create("a", wish)
    before = blob_files(store)
    preview = store.preview("A:Latest", wish)
    assert not preview.changes
    assert set(hows(preview)) == {"exists"}
    assert preview.bytes_to_write == 0
    assert blob_files(store) == before


def test_what_is_known_is_not_read_again(store: LocalStore, gguf: Path) -> None:
    wish = request({"m.gguf": gguf})
    store.create("a", wish)
    steps: list[Progress] = []
    assert not store.preview("a", wish, progress=steps.append).changes
    assert steps == []
    statuses: list[str] = []
    store.create("b", wish, progress=lambda step: statuses.append(step.status))
    assert "validating GGUF model" not in statuses
    (store.layout.private / "digests.json").write_text("{")
    assert not store.preview("a", wish, progress=steps.append).changes
    assert steps[0].status == "hashing"


def test_a_file_with_the_same_bytes_changes_nothing(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}))
    other = gguf.with_name("copy.gguf")
    other.write_bytes(gguf.read_bytes())
    assert not store.preview("a", request({"m.gguf": other})).changes


@pytest.mark.parametrize(
    "fields",
    [{"system": "y"}, {"parameters": {"seed": 2}}, {"license": "L"}, {"renderer": "r"}, {"template": "{{ .Prompt }}"}],
)
def test_changes_are_seen(store: LocalStore, gguf: Path, fields: dict[str, object]) -> None:
    base = {"system": "x", "parameters": {"seed": 1}}
    store.create("a", request({"m.gguf": gguf}, **base))
    preview = store.preview("a", request({"m.gguf": gguf}, **{**base, **fields}))
    assert preview.changes
    assert hows(preview)[0] == "exists"
    assert "write" in hows(preview)


def test_other_weights_are_seen(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}))
    assert store.preview("a", request({"m.gguf": write_sample(gguf.with_name("b.gguf"), seed=1)})).changes
    same_size = EditedGGUF(gguf, {"tokenizer.chat_template": "{{ b }}"})
    preview = store.preview("a", CreateRequest({}, {"m.gguf": same_size}))
    assert preview.changes
    assert preview.layers[0].how == "rewrite"
    store.create("a", CreateRequest({}, {"m.gguf": same_size}))
    assert not store.preview("a", CreateRequest({}, {"m.gguf": same_size})).changes


def test_from_a_model(store: LocalStore, gguf: Path) -> None:
    store.create("base", request({"m.gguf": gguf}))
    wish = request(from_="base", system="x")
    assert hows(store.preview("a", wish)) == ["exists", "write", "exists"]
    store.create("a", wish)
    assert not store.preview("a", wish).changes
    assert store.preview("base", wish).changes
    store.copy("base", "other")
    assert store.preview("a", request(from_="other", system="x")).changes


def test_as_is(store: LocalStore, gguf: Path) -> None:
    gguf.chmod(0o644)
    assert hows(store.preview("a", request({"m.gguf": gguf}), as_is=True)) == ["link", "write"]
    gguf.chmod(0o600)
    assert hows(store.preview("a", request({"m.gguf": gguf}), as_is=True)) == ["copy", "write"]
    edited = CreateRequest({}, {"m.gguf": EditedGGUF(gguf, {"k": 1})})
    assert hows(store.preview("a", edited, as_is=True)) == ["copy", "write"]
    store.create("a", request({"m.gguf": gguf}), as_is=True)
    assert not store.preview("a", request({"m.gguf": gguf}), as_is=True).changes
    assert store.preview("a", request({"m.gguf": gguf})).changes


def test_a_damaged_model_would_change(store: LocalStore, gguf: Path) -> None:
    model = store.create("a", request({"m.gguf": gguf}, system="x"))
    manifest = store.layout.manifest(model.name)
    store.blob_path(manifest.layers[1].digest).unlink()
    assert store.preview("a", request({"m.gguf": gguf}, system="x")).changes
    store.layout.manifest_path(model.name).write_text("{")
    assert store.preview("a", request({"m.gguf": gguf}, system="x")).changes


def test_refusals_come_here_already(store: LocalStore) -> None:
    with pytest.raises(ModelNotFound):
        store.preview("a", request(from_="nothing"))
    with pytest.raises(UsageError):
        store.preview("a", request())
    assert not store.layout.folder.exists()
