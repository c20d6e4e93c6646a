"""What gc removes, and what it leaves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from local_stores import blob_files, request

from modelsmith.errors import StoreError
from modelsmith.manifest import Digest
from modelsmith.name import ModelName
from modelsmith.store.care import gc
from modelsmith.store.care.gc import collect, find_garbage
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Return a store with a model, an old orphan, a young one, and an old unfinished download."""
    store = LocalStore(tmp_path / "store")
    store.create("a", request({"m.gguf": write_sample(tmp_path / "m.gguf")}, system="a"))
    for text, hours in ((b"old", 5), (b"young", 0)):
        path = store.blob_path(Digest.of(text))
        path.write_bytes(text)
        os.utime(path, (time.time() - hours * 3600,) * 2)
    partial = store.layout.blobs / f"{Digest.of(b'x').file_name}-partial"
    partial.write_bytes(b"xx")
    os.utime(partial, (time.time() - 5 * 3600,) * 2)
    return store


def names(store: LocalStore) -> set[str]:
    return set(blob_files(store))


def test_old_orphans_go(store: LocalStore) -> None:
    before = names(store)
    found = find_garbage(store.layout)
    assert [item.path.name for item in found.items] == [Digest.of(b"old").file_name]
    assert [item.path.name for item in found.young] == [Digest.of(b"young").file_name]
    assert found.size == 3
    assert names(store) == before
    done = collect(store.layout)
    assert [item.path for item in done.items] == [item.path for item in found.items]
    assert before - names(store) == {Digest.of(b"old").file_name}
    assert collect(store.layout).items == ()
    assert store.show("a").system == "a"


def test_everything_that_is_asked_for(store: LocalStore) -> None:
    collect(store.layout, grace=0, partials=True)
    models = {layer.digest.file_name for layer in store.layout.manifest(ModelName.strict("a")).blobs}
    assert names(store) == models


def test_what_a_process_has_open_stays(store: LocalStore) -> None:
    done = collect(store.layout, in_use={Digest.of(b"old")})
    assert (done.items, [item.path.name for item in done.open]) == ((), [Digest.of(b"old").file_name])


def test_nothing_goes_where_a_manifest_cannot_be_read(store: LocalStore) -> None:
    before = names(store)
    bad = store.layout.manifest_path(ModelName.strict("bad"))
    bad.parent.mkdir()
    bad.write_text("{")
    with pytest.raises(StoreError, match=f"nothing is removed, .*{bad}: the manifest is not JSON"):
        collect(store.layout)
    assert names(store) == before


def test_a_blob_that_somebody_reuses_meanwhile_stays(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    find = gc.find_garbage

    def slow(*arguments: object, **options: object) -> object:
        result = find(*arguments, **options)  # type: ignore[arg-type]
        os.utime(store.blob_path(Digest.of(b"old")))  # as Ollama does with a blob that a new model needs
        return result

    monkeypatch.setattr(gc, "find_garbage", slow)
    assert collect(store.layout).items == ()
    assert Digest.of(b"old").file_name in names(store)


def test_nothing_is_removed_through_a_link(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "modelsmith-1").write_text("x")
    (outside / Digest.of(b"x").file_name).write_text("x")
    os.utime(outside / Digest.of(b"x").file_name, (1, 1))
    store.layout.partial.symlink_to(outside)
    with pytest.raises(StoreError, match="is a link"):
        collect(store.layout, partials=True)
    assert {path.name for path in outside.iterdir()} == {"modelsmith-1", Digest.of(b"x").file_name}


def test_an_orphan_that_is_a_link_goes_and_its_target_stays(store: LocalStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    link = store.blob_path(Digest.of(b"mine"))
    link.symlink_to(target)
    os.utime(link, (1, 1), follow_symlinks=False)
    assert link in [item.path for item in collect(store.layout).items]
    assert not link.is_symlink()
    assert target.read_bytes() == b"mine"
