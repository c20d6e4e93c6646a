"""A user's GGUF and the blob of the same bytes become one."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from local_stores import check_whole, request

from modelsmith.errors import UnreadableFile
from modelsmith.store.blobs import known_digests
from modelsmith.store.care.dedupe import Pair, Way, find_pairs, unite
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with three GGUFs, two of the same bytes, and things that are none."""
    folder = tmp_path / "own"
    (folder / "sub").mkdir(parents=True)
    for name, seed in (("m.gguf", 1), ("sub/same.GGUF", 1), ("other.gguf", 2)):
        write_sample(folder / name, seed=seed).chmod(0o644)
    (folder / "link.gguf").symlink_to("m.gguf")
    (folder / "note.txt").write_bytes((folder / "m.gguf").read_bytes())
    return folder


@pytest.fixture
def store(tmp_path: Path, own: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.create("a", request({"m.gguf": own / "m.gguf"}))
    weights = store.show("a").weights
    assert weights is not None
    for name in ("m.gguf", "sub/same.GGUF", "note.txt"):  # a stored GGUF has its tensors in another order
        (own / name).write_bytes(weights.read_bytes())
    return store


def pairs(store: LocalStore, *places: Path) -> list[tuple[str, bool]]:
    found = find_pairs(store.layout, places, known_digests(store.layout))
    return [(pair.file.name, not pair.problem) for pair in found]


def weights(store: LocalStore) -> Path:
    path = store.show("a").weights
    assert path is not None
    return path


def united(store: LocalStore, way: Way, *places: Path) -> tuple[Pair, ...]:
    return unite(store.layout, find_pairs(store.layout, places, known_digests(store.layout)), way)


def test_files_with_the_bytes_of_a_blob_are_found(store: LocalStore, own: Path) -> None:
    assert pairs(store, own) == [("m.gguf", True), ("same.GGUF", False)]
    assert pairs(store, own / "note.txt") == [("note.txt", True)]
    assert pairs(store, own / "other.gguf") == []
    assert pairs(store, own.parent) == [("m.gguf", True), ("same.GGUF", False)]  # the store in it is not looked through
    with pytest.raises(UnreadableFile, match="neither a file nor a folder"):
        pairs(store, own / "typo")


def test_hard_links(store: LocalStore, own: Path) -> None:
    before = (own / "m.gguf").stat()
    done = united(store, Way.HARD, own)
    assert [pair.problem for pair in done] == ["", "another file with these bytes is one with the blob already"]
    assert weights(store).samefile(own / "m.gguf")
    after = (own / "m.gguf").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    check_whole(store)
    assert pairs(store, own) == [("same.GGUF", False)]
    store.delete("a")
    assert (own / "m.gguf").stat().st_size == before.st_size


def test_why_a_hard_link_cannot_be(store: LocalStore, own: Path) -> None:
    (own / "m.gguf").chmod(0o600)
    (pair,) = united(store, Way.HARD, own / "m.gguf")
    assert "chmod a+r" in pair.problem
    if os.geteuid() == 0:
        (own / "m.gguf").chmod(0o644)
        os.chown(own / "m.gguf", 4242, 4242)
        (pair,) = united(store, Way.HARD, own / "m.gguf")
        assert "belongs to user 4242" in pair.problem
    assert not weights(store).samefile(own / "m.gguf")


def test_shared_blocks(store: LocalStore, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[int] = []

    def ioctl(target: int, request_: int, source: int) -> None:
        assert request_ == 0x40049409
        shared.append(os.sendfile(target, source, 0, os.fstat(source).st_size))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    (pair,) = united(store, Way.REFLINK, own / "m.gguf")
    assert (pair.problem, shared) == ("", [pair.size])
    assert not weights(store).samefile(own / "m.gguf")
    check_whole(store)


def test_a_file_system_that_shares_nothing(store: LocalStore, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ioctl(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    inode = weights(store).stat().st_ino
    (pair,) = united(store, Way.REFLINK, own / "m.gguf")
    assert "--link hard" in pair.problem
    assert weights(store).stat().st_ino == inode
    assert list(store.layout.temporaries.iterdir()) == []


def test_a_file_that_changes_meanwhile_is_left(store: LocalStore, own: Path) -> None:
    found = find_pairs(store.layout, [own / "m.gguf"], known_digests(store.layout))
    data = bytearray((own / "m.gguf").read_bytes())
    data[-1] ^= 1
    (own / "m.gguf").write_bytes(bytes(data))
    (pair,) = unite(store.layout, found, Way.HARD)
    assert "changed meanwhile" in pair.problem
    check_whole(store)
