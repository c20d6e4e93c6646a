"""Which blobs are needed, and what newer versions of Ollama keep in a store: read, listed, never in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from local_stores import blob_files, request

from modelsmith.errors import InvalidDigest, StoreError
from modelsmith.manifest import LIST_TYPE, MANIFEST_TYPE, Digest, Manifest, ManifestList, read_manifest
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.store.references import references
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("gguf") / "m.gguf")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def name(text: str) -> ModelName:
    return ModelName.strict(text)


def put_blob(store: LocalStore, data: bytes) -> str:
    digest = Digest.of(data)
    store.blob_path(digest).write_bytes(data)
    return str(digest)


def put_list(store: LocalStore, tree: str, model: str, children: list[dict[str, Any]]) -> Path:
    """Write a manifest list as the branch of Ollama with manifest lists does."""
    host = "registry.ollama.ai" if tree == "manifests" else "ollama.com"
    path = store.layout.folder / tree / host / "library" / model / "latest"
    path.parent.mkdir(parents=True)
    body = {"schemaVersion": 2, "mediaType": LIST_TYPE, "manifests": children}
    path.write_text(json.dumps(body))
    return path


def moved_into_list(store: LocalStore, tree: str = "manifests-v2") -> Path:
    """Make of the models ``a`` and ``b`` one name with two builds, their manifests kept as blobs."""
    children = []
    for model, runner, kind in (("b", "mlx", "safetensors"), ("a", "ggml", "gguf")):
        path = store.layout.manifest_path(name(model))
        digest = put_blob(store, path.read_bytes())
        children.append({"mediaType": MANIFEST_TYPE, "digest": digest, "runner": runner, "format": kind})
        path.unlink()
    return put_list(store, tree, "both", children)


def test_what_is_freed(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="a"))
    store.create("b", request({"m.gguf": gguf}, system="b"))
    found = references(store.layout)
    assert found.problems == ()
    weights = store.layout.manifest(name("a")).layers[0].digest
    assert {each.short for each in found.users[weights]} == {"a:latest", "b:latest"}
    everything = {Digest(file.removeprefix("sha256-")) for file in blob_files(store)}
    assert found.unused(everything, without=[name("a")]) == {Digest.of(b"a")}
    assert found.unused(everything, without=[name("a"), name("b")]) == everything
    assert found.unused([*everything, Digest.of(b"orphan")]) == {Digest.of(b"orphan")}


def test_a_damaged_manifest_keeps_everything_but_for_itself(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="a"))
    bad = store.layout.manifest_path(name("bad"))
    bad.parent.mkdir()
    bad.write_bytes(b"")
    found = references(store.layout)
    assert found.problems == (f"{bad}: it is empty",)
    assert found.unused([Digest.of(b"orphan")]) == frozenset()
    assert found.unused([Digest.of(b"orphan")], without=[name("bad")]) == {Digest.of(b"orphan")}


@pytest.mark.parametrize("tree", ["manifests", "manifests-v2", "manifest-v2"])
def test_a_list_of_builds_is_read_and_kept(store: LocalStore, gguf: Path, tree: str) -> None:
    store.create("a", request({"m.gguf": gguf}, system="the build for ggml"))
    store.create("b", request({"m.gguf": gguf}, system="the build for mlx"))
    path = moved_into_list(store, tree)
    assert [each.short for each in store.models()] == ["both:latest"]
    shown = store.show("both")
    assert shown.system == "the build for ggml"
    assert shown.digest == Digest.of(path.read_bytes()).hex
    before = blob_files(store)
    store.create("c", request({"m.gguf": gguf}, system="c"))
    store.delete("c")
    assert blob_files(store) == before
    (file,) = references(store.layout).files
    assert (file.is_list, len(file.manifests), file.problem) == (True, 2, "")


def test_a_build_that_was_not_fetched_is_no_damage(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="here"))
    manifest = store.layout.manifest_path(name("a"))
    inline = json.loads(manifest.read_bytes()) | {"runner": "GGML", "format": "gguf"}
    manifest.unlink()
    put_list(store, "manifests-v2", "m", [{"digest": str(Digest.of(b"elsewhere")), "runner": "mlx"}, inline])
    assert store.show("m").system == "here"
    assert references(store.layout).problems == ()


def test_a_newer_ollama_keeps_its_models_itself(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="a"))
    store.create("b", request({"m.gguf": gguf}, system="b"))
    moved_into_list(store)
    for change in (
        lambda: store.create("both", request({"m.gguf": gguf})),
        lambda: store.delete("both"),
        lambda: store.copy("both", "both"),
    ):
        with pytest.raises(StoreError, match="is how a newer Ollama keeps both") as error:
            change()
        assert "--store http" in error.value.hint
    store.copy("both", "mine")
    assert store.show("mine").system == "a"


def test_the_newer_place_of_a_model_counts(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="new"))
    newer = store.layout.folder / "manifests-v2" / "ollama.com" / "library" / "a" / "latest"
    newer.parent.mkdir(parents=True)
    store.layout.manifest_path(name("a")).rename(newer)
    store.layout.manifest_path(name("a")).write_text("{")
    assert store.show("a").system == "new"
    assert [each.short for each in store.models()] == ["a:latest"]


def test_what_is_not_known_may_need_blobs(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="kept", template="{{ .Prompt }}"))
    (store.layout.folder / "backups" / "2026").mkdir(parents=True)
    backup = json.dumps({"layers": [{"digest": str(Digest.of(b"kept"))}]})
    (store.layout.folder / "backups" / "2026" / "a.json").write_text(backup)
    (store.layout.folder / "metadata").mkdir()
    cached = store.layout.folder / "metadata" / f"{Digest.of(b'{{ .Prompt }}').file_name}.json"
    cached.write_text(json.dumps({"digest": str(Digest.of(b"{{ .Prompt }}"))}))
    store.delete("a")
    assert blob_files(store) == {Digest.of(b"kept").file_name: b"kept"}
    assert cached.exists()


def test_a_store_in_the_middle_of_everything_is_left_alone(
    store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelsmith.store.references._MOST_FILES", 3)
    store.create("a", request({"m.gguf": gguf}, system="a"))
    for number in range(5):
        (store.layout.folder / f"note-{number}").write_text("x")
    assert "more than 3 other files" in references(store.layout).problems[0]
    store.delete("a")
    assert b"a" in blob_files(store).values()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"mediaType": LIST_TYPE, "manifests": []}, "is empty"),
        ({"mediaType": LIST_TYPE}, "is empty"),
        ({"mediaType": LIST_TYPE, "manifests": ["x"]}, 'manifests\\[0\\] is "x", not an object'),
        ({"mediaType": LIST_TYPE, "manifests": [{"mediaType": LIST_TYPE}]}, "another list"),
        (
            {"mediaType": LIST_TYPE, "manifests": [{"runner": 5, "digest": f"sha256:{0:064}"}]},
            "runner is 5, not a text",
        ),
        ({"mediaType": LIST_TYPE, "manifests": [{"digest": "sha256:../x"}]}, 'digest is "sha256:../x", not a digest'),
        ({"mediaType": LIST_TYPE, "manifests": [{"layers": 5, "config": {}}]}, "layers is 5, not a list"),
        ([], "not an object"),
    ],
)
def test_lists_that_cannot_be_read(body: object, words: str) -> None:
    with pytest.raises((StoreError, InvalidDigest), match=words):
        read_manifest(json.dumps(body).encode())


def test_either_kind_of_manifest() -> None:
    layer = {"mediaType": "x", "digest": f"sha256:{0:064}", "size": 1}
    assert isinstance(
        read_manifest(json.dumps({"config": layer, "layers": [layer], "runner": "ggml"}).encode()), Manifest
    )
    found = read_manifest(json.dumps({"manifests": [{"digest": layer["digest"], "runner": " MLX "}]}).encode())
    assert isinstance(found, ManifestList)
    assert found.preferred.runner == "mlx"
