"""What fsck finds, and what becomes of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from local_stores import blob_files, check_whole, request

from modelsmith.errors import BlobNotFound, StoreError
from modelsmith.manifest import Digest, Layer
from modelsmith.name import ModelName
from modelsmith.progress import Progress, ProgressSink
from modelsmith.store import blobs
from modelsmith.store.care.faults import Fault, FaultKind
from modelsmith.store.care.fsck import fsck
from modelsmith.store.care.repair import repair
from modelsmith.store.folder import Folder
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

HOURS = 3600


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("gguf") / "m.gguf")


@pytest.fixture
def store(tmp_path: Path, gguf: Path) -> LocalStore:
    """Return a store with two models that share their weights."""
    store = LocalStore(tmp_path / "store")
    store.create("a", request({"m.gguf": gguf}, system="a"))
    store.create("b", request({"m.gguf": gguf}, system="b"))
    return store


def found(store: LocalStore, *, deep: bool = False) -> list[tuple[str, str]]:
    """Return the kind and the file of every fault, after a few hours."""
    report = fsck(store.layout, deep=deep, now=time.time() + 5 * HOURS)
    return sorted((fault.kind.word, fault.path.name) for fault in report.faults)


def text_of(store: LocalStore, data: bytes) -> Path:
    return store.blob_path(Digest.of(data))


def manifest_of(store: LocalStore, name: str) -> Path:
    return store.layout.manifest_path(ModelName.strict(name))


def weights(store: LocalStore) -> Path:
    path = store.show("a").weights
    assert path is not None
    return path


def test_a_sound_store(store: LocalStore) -> None:
    report = fsck(store.layout)
    assert (report.faults, report.models, report.blobs, report.is_sound) == ((), 2, len(blob_files(store)), True)
    assert report.hashed == 0
    assert fsck(store.layout, deep=True).hashed == report.size == sum(map(len, blob_files(store).values()))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        fsck(LocalStore(tmp_path / "typo").layout)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "missing"),
    "a link to nothing": (_dangling, "missing"),
    "cut": (_cut, "truncated"),
    "wrong": (_flip, "wrong-digest"),
    "a folder": (_folder, "wrong-digest"),
    "secret": (lambda path: path.chmod(0o600), "permissions"),
}


@pytest.mark.parametrize(("damage", "kind"), DAMAGE.values(), ids=DAMAGE)
def test_a_blob_that_a_model_needs(store: LocalStore, damage: Callable[[Path], object], kind: str) -> None:
    path = text_of(store, b"a")
    damage(path)
    (fault,) = fsck(store.layout).faults
    assert (fault.kind.word, fault.path) == (kind, path)
    assert [name.short for name in fault.models] == ["a:latest"]
    assert fault.message
    assert fault.hint
    assert not fsck(store.layout).is_sound


def test_weights_that_rot_are_found_by_deep_alone(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "SMALL", 1000)
    monkeypatch.setattr("modelsmith.store.care.fsck.SMALL", 1000)
    path = weights(store)
    times = path.stat()
    _flip(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the disk does that, and no program
    assert found(store) == []
    for _ in range(2):
        (fault,) = fsck(store.layout, deep=True, jobs=2).faults
        assert (fault.kind, fault.path) == (FaultKind.WRONG_DIGEST, path)
        assert [name.short for name in fault.models] == ["a:latest", "b:latest"]
    assert found(store) == [("wrong-digest", path.name)]  # remembered


@pytest.mark.parametrize(
    ("text", "words"), [("", "it is empty"), ("{", "not JSON"), ('{"layers": 5}', "config is null, not an object")]
)
def test_a_manifest_that_cannot_be_read(store: LocalStore, text: str, words: str) -> None:
    manifest_of(store, "b").write_text(text)
    faults = {fault.kind: fault for fault in fsck(store.layout).faults}
    assert words in faults[FaultKind.BAD_MANIFEST].message
    assert [name.short for name in faults[FaultKind.BAD_MANIFEST].models] == ["b:latest"]
    # what it needed looks unneeded, and may not be
    assert set(faults) == {FaultKind.BAD_MANIFEST, FaultKind.UNREFERENCED}


def test_paths_that_are_no_names_and_links_to_nothing(store: LocalStore) -> None:
    (manifest_of(store, "a").parent / ".latest.tmp").write_text("{}")
    (manifest_of(store, "a").parent / "old").symlink_to("nowhere")
    assert found(store) == [("bad-manifest", ".latest.tmp"), ("bad-manifest", "old")]


def test_what_takes_room_is_an_info(store: LocalStore) -> None:
    folder = store.layout.blobs
    orphan = text_of(store, b"nobody's")
    orphan.write_bytes(b"nobody's")
    name = text_of(store, b"unfinished").name
    for partial in (f"{name}-partial", f"{name}-partial-0", f"{name}.tmp"):
        (folder / partial).write_bytes(b"unfin")
    (folder / "notes.txt").write_bytes(b"mine")
    (store.layout.folder / "metadata").mkdir()
    store.layout.partial.mkdir()
    (store.layout.partial / name).write_bytes(b"unfini")
    assert found(store) == sorted(
        [
            ("orphan", orphan.name),
            ("partial", f"{name}-partial"),
            ("partial", f"{name}-partial-0"),
            ("partial", f"{name}.tmp"),
            ("partial", name),
            ("foreign", "notes.txt"),
            ("newer", "metadata"),
        ]
    )
    report = fsck(store.layout)
    assert report.is_sound
    assert {fault.kind for fault in report.faults if fault.path == orphan} == {FaultKind.UNREFERENCED}  # young


def test_progress_of_several_threads_adds_up(store: LocalStore) -> None:
    steps: list[Progress] = []
    fsck(store.layout, deep=True, jobs=4, progress=steps.append)
    done = [step.completed for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total == sum(map(len, blob_files(store).values()))


class Elsewhere:
    """A registry that has blobs; notes what it was asked."""

    def __init__(self, *texts: bytes) -> None:
        self.blobs = {Digest.of(text): text for text in texts}
        self.asked: list[str] = []

    def __call__(self, name: ModelName, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        del progress
        self.asked.append(name.short)
        if layer.digest not in self.blobs:
            raise BlobNotFound(f"{name.short} is in no registry")
        descriptor = folder.open(layer.digest.file_name, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, self.blobs[layer.digest])
        os.close(descriptor)
        return folder.path / layer.digest.file_name


def outcomes(store: LocalStore, elsewhere: Elsewhere | None) -> list[tuple[str, str, str]]:
    faults = fsck(store.layout, deep=True).faults
    return [(each.fault.kind.word, each.done, each.problem) for each in repair(store.layout, faults, elsewhere)]


@pytest.mark.parametrize("damage", ["gone", "a link to nothing", "cut", "wrong"])
def test_a_blob_is_fetched(store: LocalStore, damage: str) -> None:
    path = weights(store)
    whole = path.read_bytes()
    DAMAGE[damage][0](path)
    elsewhere = Elsewhere(whole)
    assert outcomes(store, elsewhere) == [(DAMAGE[damage][1], "fetched as a part of a:latest", "")]
    check_whole(store)
    assert found(store) == []
    assert list(store.layout.partial.iterdir()) == []


def test_what_cannot_be_fetched_stays_as_it_is(store: LocalStore) -> None:
    path = weights(store)
    _flip(path)
    damaged = path.read_bytes()
    elsewhere = Elsewhere()
    assert outcomes(store, elsewhere) == [("wrong-digest", "", "b:latest is in no registry")]
    assert elsewhere.asked == ["a:latest", "b:latest"]
    assert outcomes(store, None) == [("wrong-digest", "", "nothing to fetch it from")]
    assert path.read_bytes() == damaged


def test_a_registry_that_lies_changes_nothing(store: LocalStore) -> None:
    path = text_of(store, b"a")
    path.unlink()
    elsewhere = Elsewhere()
    elsewhere.blobs[Digest.of(b"a")] = b"something else"
    ((kind, done, problem),) = outcomes(store, elsewhere)
    assert (kind, done) == ("missing", "")
    assert "instead of" in problem
    assert not path.exists()


def test_other_repairs(store: LocalStore, tmp_path: Path) -> None:
    text_of(store, b"a").chmod(0o600)
    manifest_of(store, "b").chmod(0o600)
    (manifest_of(store, "a").parent / "old").symlink_to("nowhere")
    wrong = store.blob_path(Digest.of(b"right"))
    wrong.write_bytes(b"wrong")
    secret = tmp_path / "secret"
    secret.write_bytes(b"b")
    secret.chmod(0o600)
    text_of(store, b"b").unlink()
    text_of(store, b"b").symlink_to(secret)
    told = outcomes(store, None)
    assert sorted(done for _, done, _ in told if done) == [
        "made readable for everybody",
        "made readable for everybody",
        "removed: a link to nowhere, which is not there",
        "removed: no model needs it",
    ]
    assert secret.stat().st_mode & 0o777 == 0o600  # nothing is changed through a link
    assert any("is a link" in problem for _, _, problem in told)
    assert not wrong.exists()


def test_a_repair_leaves_the_store_through_no_link(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "m"
    outside.mkdir(parents=True)
    (outside / "latest").symlink_to("nowhere")
    (store.layout.manifests / "registry.ollama.ai" / "library" / "m").symlink_to(outside)
    ((kind, done, problem),) = outcomes(store, None)
    assert (kind, done) == ("bad-manifest", "")
    assert "is a link" in problem
    assert (outside / "latest").is_symlink()


def test_a_list_of_builds_is_no_damage(store: LocalStore) -> None:
    from modelsmith.manifest import LIST_TYPE, MANIFEST_TYPE

    path = manifest_of(store, "a")
    data = path.read_bytes()
    store.blob_path(Digest.of(data)).write_bytes(data)
    children = [
        {"mediaType": MANIFEST_TYPE, "digest": str(Digest.of(data)), "runner": "ggml"},
        {"mediaType": MANIFEST_TYPE, "digest": str(Digest.of(b"not fetched")), "runner": "mlx"},
    ]
    newer = store.layout.folder / "manifests-v2" / "ollama.com" / "library" / "a" / "latest"
    newer.parent.mkdir(parents=True)
    newer.write_text(json.dumps({"mediaType": LIST_TYPE, "manifests": children}))
    path.unlink()
    assert found(store, deep=True) == [("newer", "manifests-v2")]


def test_faults_are_values(store: LocalStore) -> None:
    fault = Fault(FaultKind.ORPHAN, store.layout.blobs / "x", "m", "h")
    assert fault == Fault(FaultKind.ORPHAN, store.layout.blobs / "x", "m", "h")
