"""A folder that somebody else made: nothing is written through its links, and no blob is believed for its size."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from local_stores import blob_files, check_whole, request

from modelsmith.errors import BlobNotFound, ModelsmithError, StoreError
from modelsmith.manifest import Digest
from modelsmith.progress import Progress
from modelsmith.store import blobs
from modelsmith.store.folder import Folder
from modelsmith.store.journal import JOURNAL, Journal
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

SECRET = b"do not touch"


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return write_sample(tmp_path / "own" / "m.gguf")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "store").mkdir()
    return LocalStore(tmp_path / "store")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the store with a file that must stay as it is."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(SECRET)
    return folder


def link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


TRAPS: dict[str, tuple[str, str]] = {
    "our folder is a link": (".modelsmith", ""),
    "our folder is a link to nothing": (".modelsmith", "new"),
    "the lock is a link": (".modelsmith/lock", "secret"),
    "the lock is a link to nothing": (".modelsmith/lock", "new"),
    "the place to grow is a link": (".modelsmith/tmp", ""),
    "the list of candidates is a link": (".modelsmith/unsettled", "secret"),
    "the host is a link": ("manifests/registry.ollama.ai", ""),
    "the namespace is a link": ("manifests/registry.ollama.ai/library", ""),
    "the model is a link": ("manifests/registry.ollama.ai/library/m", ""),
    "the model is a link to nothing": ("manifests/registry.ollama.ai/library/m", "new"),
}


@pytest.mark.parametrize(("place", "target"), TRAPS.values(), ids=TRAPS)
def test_nothing_is_written_through_a_link(
    store: LocalStore, gguf: Path, outside: Path, place: str, target: str
) -> None:
    link(store.layout.folder / place, outside / target)
    with pytest.raises(StoreError, match="is a link") as error:
        store.create("m", request({"m.gguf": gguf}, system="x"))
    assert str(store.layout.folder / place) in error.value.message
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET
    assert store.models() == ()


@pytest.mark.parametrize(
    "place", [".modelsmith/digests.json", ".modelsmith/digests.new", ".modelsmith/tmp/modelsmith-1"]
)
@pytest.mark.parametrize("target", ["secret", "new"])
def test_links_that_are_only_in_the_way_are_replaced(
    store: LocalStore, gguf: Path, outside: Path, place: str, target: str
) -> None:
    link(store.layout.folder / place, outside / target)
    store.create("m", request({"m.gguf": gguf}, system="x"))
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET
    check_whole(store)


def test_a_file_that_has_a_name_elsewhere_too_is_not_written_into(store: LocalStore, gguf: Path, outside: Path) -> None:
    """Backups (``cp -al``) and unpacked archives make hard links: what we note goes into a file of our own."""
    journal = store.layout.private / JOURNAL
    journal.parent.mkdir()
    os.link(outside / "secret", journal)
    store.create("m", request({"m.gguf": gguf}, system="x"))
    store.delete("m")
    assert (outside / "secret").read_bytes() == SECRET
    journal.write_text(f"{Digest.of(b'a')}\n")
    os.link(journal, outside / "backup")
    with Folder(journal.parent) as folder:
        Journal(folder).add([Digest.of(b"b")])
        assert Journal(folder).read() == {Digest.of(b"a"), Digest.of(b"b")}
    assert (outside / "backup").read_text() == f"{Digest.of(b'a')}\n"


def test_a_manifest_or_a_blob_that_is_a_link_is_replaced(store: LocalStore, gguf: Path, outside: Path) -> None:
    link(store.layout.manifests / "registry.ollama.ai" / "library" / "m" / "latest", outside / "secret")
    link(store.layout.blobs / Digest.of(b"x").file_name, outside / "secret")
    store.create("m", request({"m.gguf": gguf}, system="x"))
    assert (outside / "secret").read_bytes() == SECRET
    assert not (store.layout.blobs / Digest.of(b"x").file_name).is_symlink()
    check_whole(store)


def test_a_model_is_not_deleted_through_a_link(store: LocalStore, gguf: Path, outside: Path) -> None:
    other = LocalStore(outside)
    other.create("m", request({"m.gguf": gguf}))
    link(store.layout.manifests, Path("elsewhere"))
    store.layout.manifests.unlink()
    link(store.layout.manifests / "registry.ollama.ai", other.layout.manifests / "registry.ollama.ai")
    with pytest.raises(StoreError, match="is a link"):
        store.delete("m")
    assert [str(name.short) for name in other.models()] == ["m:latest"]


@pytest.mark.parametrize("part", ["", "blobs", "manifests"])
def test_the_folder_itself_blobs_and_manifests_may_be_links(tmp_path: Path, gguf: Path, part: str) -> None:
    (tmp_path / "other-disk").mkdir()
    link(tmp_path / "root" / part if part else tmp_path / "root", tmp_path / "other-disk")
    store = LocalStore(tmp_path / "root")
    store.create("m", request({"m.gguf": gguf}, system="x"))
    store.copy("m", "n")
    store.delete("m")
    assert store.show("n").system == "x"
    check_whole(store)


def flip(path: Path) -> None:
    """Change a byte; the size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take every blob for a small or for a large one."""
    if request.param == "large":
        monkeypatch.setattr(blobs, "SMALL", 0)
    return str(request.param)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("number", range(3))
def test_a_blob_with_wrong_bytes_is_named_and_written_anew(store: LocalStore, gguf: Path, number: int) -> None:
    model = store.create("m", request({"m.gguf": gguf}, system="x"))
    layers = store.layout.manifest(model.name).blobs
    wrong = store.blob_path(layers[number].digest)
    flip(wrong)
    assert store.preview("m", request({"m.gguf": gguf}, system="x")).changes
    told: list[Progress] = []
    store.create("m", request({"m.gguf": gguf}, system="x"), progress=told.append)
    assert f"{wrong} is damaged" in [step.status for step in told]
    check_whole(store)
    assert not store.preview("m", request({"m.gguf": gguf}, system="x")).changes


@pytest.mark.usefixtures("size")
def test_no_model_is_made_of_a_damaged_one(store: LocalStore, gguf: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}, system="x"))
    wrong = store.blob_path(store.layout.manifest(model.name).layers[0].digest)
    flip(wrong)
    with pytest.raises(StoreError, match="is damaged: its bytes are not those") as error:
        store.create("n", request(from_="m"))
    assert str(wrong) in error.value.message
    assert "ollama pull m" in error.value.hint
    assert [name.short for name in store.models()] == ["m:latest"]


def test_a_damaged_text_is_not_read(store: LocalStore, gguf: Path) -> None:
    store.create("m", request({"m.gguf": gguf}, system="a system prompt"))
    flip(store.blob_path(Digest.of(b"a system prompt")))
    with pytest.raises(StoreError, match="is damaged"):
        store.show("m")


def test_a_large_blob_is_hashed_once(store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "SMALL", 0)
    hashed: list[object] = []
    hash_segments = blobs.hash_segments

    def counted(segments: object, *others: object) -> Digest:
        hashed.append(segments)
        return hash_segments(segments, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(blobs, "hash_segments", counted)
    model = store.create("m", request({"m.gguf": gguf}, system="x"))
    store.create("n", request(from_="m"))
    assert hashed == []  # what we wrote is known
    weights = model.weights
    assert weights is not None
    os.utime(weights, (1, 1))
    for name in ("o", "p"):
        store.create(name, request(from_="m"))
    assert len(hashed) == 1


def _fifo(path: Path) -> None:
    os.mkfifo(path)


PUT: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": _fifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("put", PUT.values(), ids=PUT)
@pytest.mark.parametrize("number", range(3))
def test_what_is_no_file_is_no_blob(store: LocalStore, gguf: Path, put: Callable[[Path], object], number: int) -> None:
    model = store.create("m", request({"m.gguf": gguf}, system="x"))
    path = store.blob_path(store.layout.manifest(model.name).blobs[number].digest)
    path.unlink()
    put(path)
    with pytest.raises(ModelsmithError, match=path.name):
        store.create("n", request(from_="m"))


def test_a_blob_may_be_a_link_to_the_right_file(store: LocalStore, gguf: Path, tmp_path: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}))
    weights = model.weights
    assert weights is not None
    elsewhere = tmp_path / "elsewhere.gguf"
    weights.rename(elsewhere)
    weights.symlink_to(elsewhere)
    assert store.show("m").weights == weights
    times = elsewhere.stat().st_mtime_ns
    store.create("n", request(from_="m"))
    assert weights.is_symlink()
    assert elsewhere.stat().st_mtime_ns == times
    flip(elsewhere)
    with pytest.raises(StoreError, match="is damaged"):
        store.create("o", request(from_="m"))
    assert store.show("m").weights is None  # the header is not read through a link to other bytes
    elsewhere.unlink()
    with pytest.raises(BlobNotFound):
        store.create("o", request(from_="m"))


def test_a_request_names_bytes_and_not_a_file(store: LocalStore, gguf: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}))
    digest = store.layout.manifest(model.name).layers[0].digest
    flip(store.blob_path(digest))
    with pytest.raises(ModelsmithError, match="digest mismatch"):
        store.create("n", {"files": {"m.gguf": str(digest)}})


def test_what_cannot_be_removed_is_said(store: LocalStore, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder where files can be made and not removed: the disk is fuller than before, and the message says so."""
    from modelsmith.store.folder import Folder

    def refused(self: Folder, name: str, *_others: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(self.path / name))

    real = Folder.child
    monkeypatch.setattr(
        Folder,
        "child",
        lambda self, name, *, make=False: refused(self, name) if name == "m" else real(self, name, make=make),
    )
    with monkeypatch.context() as cannot_remove:
        cannot_remove.setattr(Folder, "remove", refused)
        with pytest.raises(StoreError, match=r"could not be removed: .*sha256-"):
            store.create("m", request({"m.gguf": gguf}))
    assert blob_files(store)
    with pytest.raises(StoreError, match="the store is as it was"):
        store.create("m", request({"m.gguf": gguf}))
    assert blob_files(store) == {}
