from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local_stores import blob_files, check_whole, request

from modelsmith.errors import (
    BlobNotFound,
    InvalidDigest,
    InvalidModelName,
    ModelNotFound,
    ModelsmithError,
    StoreError,
    UnreadableFile,
)
from modelsmith.manifest import MAX_MANIFEST_BYTES, Digest
from modelsmith.name import ModelName
from modelsmith.store.folder import Folder
from modelsmith.store.local.local import LocalStore
from modelsmith.store.local.lock import locked
from modelsmith.store.local.write import writing
from modelsmith.weights.gguf.sample import write_sample

if TYPE_CHECKING:
    from modelsmith.progress import Progress


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("gguf") / "model.gguf")


def age(path: Path, seconds: float = 7200) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_store_that_is_not_there_is_empty(store: LocalStore) -> None:
    assert store.models() == ()
    assert not store.layout.folder.exists()
    with pytest.raises(ModelNotFound, match="not found"):
        store.show("x")
    assert (store.ollama_version(), store.location) == (None, str(store.layout.folder))


def test_the_layout_is_ollamas(store: LocalStore, gguf: Path) -> None:
    os.umask(os.umask(0o077))
    store.create("host:5000/ns/Model:Tag", request({"m.gguf": gguf}, system="x"))
    assert (store.layout.folder / "manifests" / "host:5000" / "ns" / "Model" / "Tag").is_file()
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in store.layout.blobs.iterdir())
    assert {path.name for path in store.layout.folder.iterdir()} == {"manifests", "blobs", ".modelsmith"}
    assert list(store.layout.temporaries.iterdir()) == []
    check_whole(store)


def test_models_are_listed_by_name(store: LocalStore, gguf: Path) -> None:
    for name in ("b:2", "a", "ns/z", "b:1"):
        store.create(name, request({"m.gguf": gguf}))
    assert [name.short for name in store.models()] == ["a:latest", "b:1", "b:2", "ns/z:latest"]


def test_names_are_found_in_any_case(store: LocalStore, gguf: Path) -> None:
    store.create("Ns/Model:Tag", request({"m.gguf": gguf}))
    store.create("nS/mODEL:tAG", request({"m.gguf": gguf}, system="x"))
    assert [name.short for name in store.models()] == ["Ns/Model:Tag"]
    assert store.show("ns/model:tag").system == "x"
    store.create("other:TAG", request(from_="NS/MODEL:TAG"))
    assert [name.short for name in store.models()] == ["Ns/Model:Tag", "other:Tag"]
    store.copy("OTHER:tag", "ns/THIRD")
    assert [name.short for name in store.models()] == ["Ns/Model:Tag", "Ns/THIRD:latest", "other:Tag"]
    store.delete("ns/MODEL:tag")
    assert [name.short for name in store.models()] == ["Ns/THIRD:latest", "other:Tag"]


def test_bad_names_are_refused(store: LocalStore, gguf: Path) -> None:
    for name in ("", "../x", "a/b/c/d", "x:", "-x", ModelName.parse("a:..")):
        with pytest.raises(InvalidModelName):
            store.create(name, request({"m.gguf": gguf}))
        with pytest.raises(InvalidModelName):
            store.show(name)
    assert not store.layout.folder.exists()


def test_copy_and_delete(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="x"))
    store.copy("a", "ns/b:1")
    assert store.show("ns/b:1").digest == store.show("a").digest
    store.delete("a")
    assert store.show("ns/b:1").system == "x"
    check_whole(store)
    store.delete("ns/b:1")
    assert store.models() == ()
    assert blob_files(store) == {}
    assert list(store.layout.manifests.rglob("*")) == []
    with pytest.raises(ModelNotFound):
        store.delete("a")
    with pytest.raises(ModelNotFound):
        store.copy("a", "b")


def test_replacing_a_model_removes_what_only_it_used(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="one", license="L"))
    store.create("b", request({"m.gguf": gguf}, license="L"))
    store.create("a", request({"m.gguf": gguf}, system="two"))
    texts = {data for data in blob_files(store).values() if len(data) < 10}
    assert texts == {b"two", b"L"}
    check_whole(store)


def test_noprune_keeps_them(store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_NOPRUNE", " 'yes' ")
    store.create("a", request({"m.gguf": gguf}, system="one"))
    store.create("a", request({"m.gguf": gguf}, system="two"))
    assert {b"one", b"two"} <= set(blob_files(store).values())


@pytest.mark.parametrize(
    "damage", ["{", "", '{"layers": [{"digest": "sha256:../../../etc/passwd", "size": 1}]}', "x" * 9_000_000]
)
def test_nothing_is_removed_while_a_manifest_cannot_be_read(store: LocalStore, gguf: Path, damage: str) -> None:
    store.create("a", request({"m.gguf": gguf}, system="one"))
    bad = store.layout.manifests / "registry.ollama.ai" / "library" / "bad" / "latest"
    bad.parent.mkdir()
    bad.write_text(damage)
    store.create("a", request({"m.gguf": gguf}, system="two"))
    assert b"one" in blob_files(store).values()
    assert [name.short for name in store.models()] == ["a:latest"]
    with pytest.raises(StoreError, match=f"{bad} is damaged|{bad} is larger"):
        store.show("bad")
    store.delete("a")
    assert b"one" in blob_files(store).values()
    store.delete("bad")
    assert not bad.exists()


def test_nothing_is_removed_beside_a_newer_layout(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="one"))
    (store.layout.folder / "manifests-v3").mkdir()
    (store.layout.folder / "manifests-v3" / "a").write_text(str(Digest.of(b"one")))
    store.delete("a")
    assert b"one" in blob_files(store).values()


def test_odd_things_in_the_folder_are_passed_over(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}))
    library = store.layout.manifests / "registry.ollama.ai" / "library"
    (library / "a" / "dangling").symlink_to("nowhere")
    (library / "a" / ".hidden").write_text("x")
    (library / "a" / "folder").mkdir()
    (library / "file").write_text("x")
    (store.layout.manifests / "file").write_text("x")
    os.mkfifo(library / "a" / "pipe")
    os.mkfifo(store.layout.blobs / "pipe")
    assert [name.short for name in store.models()] == ["a:latest"]
    store.create("b", request(from_="a"))


def test_blob_paths_come_from_digests_only(store: LocalStore) -> None:
    digest = "sha256:" + "a" * 64
    assert store.blob_path(digest) == store.blob_path(Digest.parse(digest)) == store.layout.blobs / f"sha256-{'a' * 64}"
    for wrong in ("sha256:../x", "a" * 64, "sha256-" + "a" * 64, "sha256:" + "A" * 64):
        with pytest.raises(InvalidDigest):
            store.blob_path(wrong)


def test_a_model_with_missing_or_damaged_parts(store: LocalStore, gguf: Path) -> None:
    model = store.create("a", request({"m.gguf": gguf}, parameters={"seed": 1}))
    manifest = store.layout.manifest(model.name)
    store.blob_path(manifest.layers[0].digest).write_bytes(b"GGUF")
    assert store.show("a").weights is None
    assert not store.show("a").chat_template_known
    with pytest.raises(ModelsmithError, match="inside the GGUF header"):
        store.create("b", request(from_="a"))
    store.blob_path(manifest.layers[1].digest).write_bytes(b"[1]")
    with pytest.raises(StoreError, match="is damaged"):
        store.show("a")
    store.blob_path(manifest.config.digest).unlink()
    with pytest.raises(BlobNotFound, match="is missing"):
        store.show("a")
    store.blob_path(manifest.layers[0].digest).unlink()
    with pytest.raises(BlobNotFound, match="a:latest is incomplete"):
        store.create("b", request(from_="a"))
    again = store.create("a", request({"m.gguf": gguf}, parameters={"seed": 1}))
    assert again.digest == model.digest
    check_whole(store)


def test_a_blob_that_is_cut_short_is_written_again(store: LocalStore, gguf: Path) -> None:
    model = store.create("a", request({"m.gguf": gguf}, system="text"))
    for name in blob_files(store):
        path = store.layout.blobs / name
        path.write_bytes(path.read_bytes()[:-1])
    assert store.create("a", request({"m.gguf": gguf}, system="text")).digest == model.digest
    check_whole(store)


def test_reused_blobs_are_protected_from_pruning(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="x"))
    for path in store.layout.blobs.iterdir():
        age(path)
    store.create("b", request(from_="a"))
    store.create("c", request({"m.gguf": gguf}, system="x"))
    assert all(time.time() - path.stat().st_mtime < 3600 for path in store.layout.blobs.iterdir())


def test_a_young_blob_keeps_its_time_for_those_who_read_it(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}))
    times = {}
    for path in store.layout.blobs.iterdir():
        age(path, 300)
        times[path] = path.stat().st_mtime_ns
    store.create("b", request(from_="a"))
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_as_is_links_the_file(store: LocalStore, gguf: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(gguf.read_bytes())
    own.chmod(0o644)
    age(own)
    before = own.stat()
    model = store.create("a", request({"own.gguf": own}), as_is=True)
    assert model.weights is not None
    assert model.weights.samefile(own)
    assert (own.stat().st_mtime_ns, own.stat().st_mode) == (before.st_mtime_ns, before.st_mode)
    store.create("b", request({"own.gguf": own}), as_is=True)
    assert own.stat().st_mtime_ns == before.st_mtime_ns
    for name in ("a", "b"):
        store.delete(name)
    assert own.read_bytes() == gguf.read_bytes()


def test_as_is_copies_what_others_could_not_read(store: LocalStore, gguf: Path, tmp_path: Path) -> None:
    private = tmp_path / "private.gguf"
    private.write_bytes(gguf.read_bytes())
    private.chmod(0o600)
    model = store.create("a", request({"private.gguf": private}), as_is=True)
    assert model.weights is not None
    assert not model.weights.samefile(private)
    assert model.weights.stat().st_mode & 0o777 == 0o644
    assert model.weights_digest == Digest.of(gguf.read_bytes())


def test_a_file_that_changes_before_it_is_linked_is_refused(store: LocalStore, gguf: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(gguf.read_bytes())
    own.chmod(0o644)

    def change(step: Progress) -> None:
        if step.status == "hashing" and step.completed == step.total:
            age(own)

    with pytest.raises(UnreadableFile, match="changed"):
        store.create("a", request({"own.gguf": own}), as_is=True, progress=change)
    assert store.models() == ()
    assert blob_files(store) == {}


def test_a_link_needs_no_space(store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(gguf)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    gguf.chmod(0o644)
    assert store.create("a", request({"m.gguf": gguf}), as_is=True).family == "llama"


def test_a_file_system_that_clones_is_used(store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf.chmod(0o600)
    cloned: list[int] = []

    def ioctl(target: int, request_: int, source: int) -> None:
        assert request_ == 0x40049409
        cloned.append(os.sendfile(target, source, 0, gguf.stat().st_size))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    model = store.create("a", request({"m.gguf": gguf}), as_is=True)
    assert cloned == [gguf.stat().st_size]
    assert model.weights_digest == Digest.of(gguf.read_bytes())
    check_whole(store)


def test_a_linked_file_may_be_reached_through_a_symbolic_link(store: LocalStore, gguf: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(gguf)
    model = store.create("a", request({"link.gguf": link}), as_is=True)
    assert model.weights is not None
    assert not model.weights.is_symlink()


def test_left_overs_of_the_dead_are_removed(store: LocalStore, gguf: Path) -> None:
    store.layout.temporaries.mkdir(parents=True)
    (store.layout.temporaries / "modelsmith-123").write_bytes(b"half")
    store.create("a", request({"m.gguf": gguf}))
    assert list(store.layout.temporaries.iterdir()) == []


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system at hand")
@pytest.mark.parametrize("part", ["blobs", "manifests"])
def test_a_part_of_the_store_may_be_on_another_disk(store: LocalStore, gguf: Path, part: str) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        store.layout.folder.mkdir()
        (store.layout.folder / part).symlink_to(elsewhere)
        (Path(elsewhere) / "modelsmith-1").write_text("left over")
        store.create("a", request({"m.gguf": gguf}, system="x"))
        store.create("b", request({"m.gguf": gguf}), as_is=True)
        check_whole(store)
        assert [name.short for name in store.models()] == ["a:latest", "b:latest"]
        assert not (Path(elsewhere) / "modelsmith-1").exists()


def test_writers_wait_for_each_other(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}))
    told = threading.Event()
    steps: list[str] = []

    def progress(step: Progress) -> None:
        steps.append(step.status)
        told.set()

    def create() -> None:
        LocalStore(store.layout.folder).create("b", request(from_="a"), progress=progress)

    with writing(store.layout):
        thread = threading.Thread(target=create)
        thread.start()
        assert told.wait(600)
        assert steps == [f"waiting for another modelsmith to finish with {store.layout.folder}"]
        assert [name.short for name in store.models()] == ["a:latest"]
    thread.join(600)
    assert steps[-1] == "success"
    assert [name.short for name in store.models()] == ["a:latest", "b:latest"]


@pytest.mark.parametrize("folder", ["a\0b", "\ud800"])
def test_a_name_that_no_folder_can_have_is_refused(folder: str) -> None:
    with pytest.raises(StoreError, match="not a name that a folder can have"):
        LocalStore(folder)


def test_a_link_where_our_own_folder_should_be_is_not_followed(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    store.layout.folder.mkdir()
    store.layout.private.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link"), writing(store.layout):
        pass
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_lock_is_freed_when_its_holder_dies(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from modelsmith.store.folder import Folder; from modelsmith.store.local.lock import locked\n"
        "with locked(Folder(Path(sys.argv[1])), 'lock', 'x'): os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code, tmp_path], check=False, env=environment)
    steps: list[Progress] = []
    with Folder(tmp_path) as folder, locked(folder, "lock", "x", steps.append):
        assert steps == []


@pytest.mark.parametrize("where", ["file", "file/store", "/sys/modelsmith", "/dev/null/store"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, gguf: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    store = LocalStore(tmp_path / where)
    with pytest.raises(StoreError) as error:
        store.create("a", request({"m.gguf": gguf}))
    assert str(tmp_path / where).startswith(error.value.message.split(": ")[0]) or where in error.value.message
    assert "the store is as it was" in error.value.message
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.usefixtures("ordinary_user")
def test_a_folder_without_permission(store: LocalStore, gguf: Path) -> None:
    store.layout.folder.mkdir(0o500)
    with pytest.raises(StoreError, match="may not write there") as error:
        store.create("a", request({"m.gguf": gguf}))
    assert "--store" in error.value.hint


_SHORT_OF_SPACE = """
import resource, signal, sys
from local_stores import request
from pathlib import Path
from modelsmith.errors import StoreError
from modelsmith.store.local.local import LocalStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    LocalStore(sys.argv[1]).create("a", request({"m.gguf": Path(sys.argv[2])}, system="two"))
except StoreError as error:
    print(error)
"""


def test_a_write_that_fails_changes_nothing(store: LocalStore, gguf: Path) -> None:
    """A limit on the size of files stands for a disk that is full: the write itself fails."""
    (store.layout.folder).mkdir()
    store.create("a", request({"m.gguf": write_sample(gguf.with_name("other.gguf"), seed=1)}, system="one"))
    before = (blob_files(store), store.show("a"))
    roots = os.pathsep.join(map(str, Path(__file__).resolve().parents[2:4]))
    command = [sys.executable, "-c", _SHORT_OF_SPACE, str(store.layout.folder), str(gguf)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": roots})
    assert "File too large; the store is as it was" in result.stdout
    assert (blob_files(store), store.show("a")) == before
    assert list(store.layout.temporaries.iterdir()) == []


def test_too_little_space_is_said_before_anything_is_written(
    store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(gguf)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(StoreError, match=r"0 MiB are needed and 0 MiB are free in .*store") as error:
        store.create("a", request({"m.gguf": gguf}))
    assert "free some space" in error.value.hint
    assert blob_files(store) == {}


def test_a_blob_that_somebody_prunes_meanwhile_is_noticed(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="x"))

    def prune(step: Progress) -> None:
        if step.status == "writing manifest":
            store.blob_path(Digest.of(b"y")).unlink()

    with pytest.raises(StoreError, match="was removed by another program") as error:
        store.create("a", request(from_="a", system="y"), progress=prune)
    assert error.value.hint == "run the command again"
    assert store.show("a").system == "x"


def test_an_interrupt_leaves_the_old_model(store: LocalStore, gguf: Path) -> None:
    store.create("a", request({"m.gguf": gguf}, system="x"))

    def interrupt(step: Progress) -> None:
        if step.status == "writing manifest":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.create("a", request(from_="a", system="y"), progress=interrupt)
    assert store.show("a").system == "x"
    check_whole(store)
    assert store.create("a", request(from_="a", system="y")).system == "y"


def test_show_reads_old_and_foreign_manifests(store: LocalStore, gguf: Path) -> None:
    model = store.create("a", request({"m.gguf": gguf}))
    path = store.layout.manifest_path(model.name)
    body = json.loads(path.read_bytes())
    old = store.layout.blobs / Digest.of(b"[{{ .Prompt }}]").file_name
    old.write_bytes(b"[{{ .Prompt }}]")
    body["layers"].append(
        {"mediaType": "application/vnd.ollama.image.prompt", "digest": str(Digest.of(old.read_bytes())), "size": 15}
    )
    body["annotations"] = {"x": 1}
    path.write_text(json.dumps(body, indent=2))
    shown = store.show("a")
    assert shown.template == "[{{ .Prompt }}]"
    assert shown.digest == Digest.of(path.read_bytes()).hex


def test_a_huge_manifest_is_not_read(store: LocalStore) -> None:
    path = store.layout.manifest_path(ModelName.strict("big"))
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert path.stat().st_size > MAX_MANIFEST_BYTES
    assert store.models() == ()
    with pytest.raises(StoreError, match="larger than"):
        store.show("big")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_stores_owner(store: LocalStore, gguf: Path) -> None:
    """The service's user must be able to touch, replace and remove it."""
    store.layout.folder.mkdir()
    os.chown(store.layout.folder, 65534, 65534)
    store.create("a", request({"m.gguf": gguf}, system="x"))
    own = {path.stat().st_uid for path in store.layout.folder.rglob("*") if path.name != "digests.json"}
    assert own == {65534}
