"""Moving models: nothing twice, byte for byte, gone on with after a failure."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from fakes.registry import FakeRegistry, Handler
from registry_models import NAME, access, files, offer, store_with, toy

from modelsmith.errors import DigestMismatch, ModelNotFound, ModelsmithError, StoreError, UsageError
from modelsmith.name import ModelName
from modelsmith.progress import Progress
from modelsmith.registry.moving import Mover, fetch_model
from modelsmith.registry.reference import Folder, Reference
from modelsmith.registry.upload import Uploader
from modelsmith.store.local.local import LocalStore

BIG = 40 << 20  # more than one part


def at(registry: FakeRegistry, repository: str = "team/toy", tag: str = "latest") -> Reference:
    return Reference(registry.host, repository, tag)


@pytest.mark.parametrize("oci", [False, True], ids=["ollama", "oci"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_model_comes_back_byte_for_byte(tmp_path: Path, oci: bool, ranges: bool) -> None:
    store = store_with(tmp_path / "a")
    with FakeRegistry(ranges=ranges) as registry, Mover(access()) as mover:
        pushed = mover.push(store, NAME, at(registry), oci=oci)
        pulled = mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
        kind = registry.manifests["team/toy", "latest"][0]
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert len(pushed.moved) == len(pulled.moved) == 5
    assert ("oci" in kind) == oci


def test_nothing_is_moved_twice(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    with FakeRegistry() as registry, Mover(access()) as mover:
        mover.push(store, NAME, at(registry))
        registry.log.clear()
        again = mover.push(store, NAME, at(registry))
        assert not again.moved
        assert {line.split()[0] for line in registry.log} == {"HEAD"}
        mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
        registry.log.clear()
        assert not mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME).moved
        assert registry.count("GET", "/blobs/") == 0


def test_copy_within_a_registry_mounts(tmp_path: Path) -> None:
    with FakeRegistry() as registry, Mover(access()) as mover:
        manifest = offer(registry)
        moved = mover.copy(at(registry), at(registry, "other/toy"))
        assert len(moved.mounted) == 5
        assert registry.sent == 0
        assert registry.manifests["other/toy", "latest"][1] == manifest.raw


def test_copy_between_registries_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with FakeRegistry() as one, FakeRegistry() as other, Mover(access()) as mover:
        manifest = offer(one)
        mover.copy(at(one), at(other))
        mover.copy(at(other), Folder(tmp_path / "dir"))
        mover.pull(Folder(tmp_path / "dir"), LocalStore(tmp_path / "b"), NAME)
    assert LocalStore(tmp_path / "b").layout.manifest(NAME).raw == manifest.raw
    assert not list((tmp_path / "cache" / "modelsmith" / "transfers").iterdir())


def test_a_broken_download_goes_on_where_it_was(tmp_path: Path) -> None:
    broken = threading.Event()

    def cut(handler: Handler) -> bool:
        """Send 20 MB of each part of the large blob, until told otherwise."""
        if "blobs" not in handler.path or broken.is_set() or handler.command != "GET":
            return False
        data = handler.registry.blobs[handler.path.rpartition("/")[2]]
        if len(data) < BIG:
            return False
        start, end = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        part = data[start : end + 1]
        handler.send_response(206)
        handler.send_header("Content-Length", str(len(part)))
        handler.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        handler.end_headers()
        handler.wfile.write(part[: len(part) // 2])
        handler.registry.sent += len(part) // 2
        handler.close_connection = True
        if end - start < 1 << 20:
            handler.registry.twist = lambda _: False
        return True

    with FakeRegistry() as registry:
        offer(registry, size=BIG)
        registry.twist = cut
        with Mover(access()) as mover:
            moved = mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
        assert registry.sent <= moved.bytes_moved * 1.01
    assert files(tmp_path / "b") == files(store_with(tmp_path / "a", size=BIG).layout.folder)


def test_a_download_does_not_grow_in_a_file_that_has_a_name_elsewhere(tmp_path: Path) -> None:
    """What a killed copy between two stores on one disk leaves is the other store's blob under a second name."""
    other = store_with(tmp_path / "other")
    before = files(other.layout.folder)
    target = LocalStore(tmp_path / "b")
    target.layout.partial.mkdir(parents=True)
    with FakeRegistry() as registry, Mover(access()) as mover:
        offer(registry)
        for blob in other.layout.blobs.iterdir():
            os.link(blob, target.layout.partial / blob.name)
            os.link(blob, target.layout.partial / f"{blob.name}.parts")
        mover.pull(at(registry), target, NAME)
    assert files(other.layout.folder) == before
    assert files(target.layout.folder) == before


def test_materialize_copies_what_it_would_have_to_change(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    for blob in store.layout.blobs.iterdir():
        blob.chmod(0o640)
    with Mover(None) as mover:
        mover.link(store, NAME, LocalStore(tmp_path / "b"))
    assert {blob.stat().st_mode & 0o777 for blob in store.layout.blobs.iterdir()} == {0o640}
    assert {blob.stat().st_mode & 0o777 for blob in (tmp_path / "b" / "blobs").iterdir()} == {0o644}
    assert files(tmp_path / "b") == files(tmp_path / "a")


def test_what_came_before_a_failure_is_not_fetched_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "b")
    with FakeRegistry() as registry:
        manifest = offer(registry, size=BIG)
        large = str(manifest.layers[0].digest)
        registry.twist = lambda handler: (
            "blobs" in handler.path and large not in handler.path and (handler.answer(500) or True)
        )
        with Mover(access()) as mover, pytest.raises(ModelsmithError, match="500"):
            mover.pull(at(registry), store, NAME)
        assert store.models() == ()
        registry.twist = lambda handler: False
        with Mover(access()) as second:
            moved = second.pull(at(registry), store, NAME)
        assert mover._budget.received + moved.received == sum(layer.size for layer in moved.manifest.blobs)
    assert not list((tmp_path / "b" / ".modelsmith" / "partial").iterdir())


def test_a_damaged_part_of_an_earlier_run_is_found(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "b")
    with FakeRegistry() as registry:
        manifest = offer(registry, size=BIG)
        digest = manifest.layers[0].digest
        folder = tmp_path / "b" / ".modelsmith" / "partial"
        folder.mkdir(parents=True)
        (folder / digest.file_name).write_bytes(b"\0" * BIG)
        half = 16 << 20
        records = [(0, half, half), (half, half + 5, 2 * half), (2 * half, 2 * half, BIG)]
        (folder / f"{digest.file_name}.parts").write_bytes(
            b"".join(number.to_bytes(8, "little") for record in records for number in record)
        )
        with Mover(access()) as mover:
            mover.pull(at(registry), store, NAME)
    assert files(tmp_path / "b") == files(store_with(tmp_path / "a", size=BIG).layout.folder)


def test_mirrors_come_first_and_may_fail(tmp_path: Path) -> None:
    with FakeRegistry() as registry, FakeRegistry() as mirror:
        manifest = offer(registry)
        offer(mirror)
        liar = str(manifest.layers[0].digest)
        mirror.blobs[liar] = b"x" * manifest.layers[0].size
        with Mover(access(mirrors=(f"http://{mirror.host}",))) as mover:
            mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
        assert registry.count("GET", "/manifests/") == 0
        assert registry.count("GET", "/blobs/") == 1  # only what the mirror has wrong
    assert files(tmp_path / "b") == files(store_with(tmp_path / "a").layout.folder)


def test_a_large_upload_goes_in_pieces_and_on_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Uploader.__init__, "__defaults__", (1 << 20,))
    store = store_with(tmp_path / "a", size=5 << 20)
    failed: list[str] = []

    def third(handler: Handler) -> bool:
        if handler.command == "PATCH" and handler.headers["Content-Range"].startswith("2097152-") and len(failed) < 3:
            failed.append(handler.path)
            handler.close_connection = True
            return True
        return False

    with FakeRegistry() as registry:
        registry.twist = third
        with Mover(access()) as mover, pytest.raises(ModelsmithError):
            mover.push(store, NAME, at(registry))
        assert registry.manifests == {}
        with Mover(access()) as mover:
            moved = mover.push(store, NAME, at(registry))
        assert moved.sent <= (3 << 20) + 100  # two of the five pieces were there
        assert registry.manifests["team/toy", "latest"][1] == store.layout.manifest(NAME).raw
    assert not list((tmp_path / "cache" / "modelsmith" / "transfers").iterdir())


def test_ollamas_own_dialect_of_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are redirected to a storage of another address, which sees no login; the commit names their MD5s."""
    monkeypatch.setattr("modelsmith.registry.upload_ollama._LEAST", 1 << 20)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    store = store_with(tmp_path / "a", size=(5 << 20) + 7)
    large = store.layout.manifest(NAME).layers[0]
    storage: dict[str, bytes] = {}
    etags: list[str] = []

    def take(handler: Handler) -> bool:
        assert "Authorization" not in handler.headers
        storage[handler.path] = handler.body()
        handler.answer(200)
        return True

    def twist(handler: Handler) -> bool:
        session, _, query = handler.path.partition("?")
        if handler.command == "PATCH":
            assert handler.headers["X-Redirect-Uploads"] == "1"
            start = handler.headers["Content-Range"].partition("-")[0]
            place = {"Location": f"http://{bucket.host}{session}/{start}", "Docker-Upload-Location": f"{session}?part"}
            handler.close_connection = True
            handler.answer(307, headers=place)  # before the body was read, as Go's servers do
            handler.wfile.flush()
            handler.body()
            return True
        if handler.command == "PUT" and "/uploads/" in session:
            pieces = {
                int(path.rpartition("/")[2]): data for path, data in storage.items() if path.startswith(f"{session}/")
            }
            handler.registry.put_blob("team/toy", b"".join(data for _, data in sorted(pieces.items())))
            if len(pieces) > 1:
                etags.append(parse_qs(query)["etag"][0])
            handler.answer(201)
            return True
        return False

    with FakeRegistry() as registry, FakeRegistry() as bucket, Mover(access()) as mover:
        registry.twist, bucket.twist = twist, take
        monkeypatch.setattr("modelsmith.registry.sinks.OLLAMA_HOSTS", frozenset([registry.host]))
        mover.push(store, NAME, at(registry))
        mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
    data = store.blob_path(large.digest).read_bytes()
    sums = [hashlib.md5(data[start : start + (1 << 20)]).digest() for start in range(0, len(data), 1 << 20)]
    assert etags == [f"{hashlib.md5(b''.join(sums)).hexdigest()}-6"]
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_pinned_manifest_must_be_the_one(tmp_path: Path) -> None:
    with FakeRegistry() as registry, Mover(access()) as mover:
        manifest = offer(registry)
        pinned = Reference(registry.host, "team/toy", digest=manifest.digest)
        mover.pull(pinned, LocalStore(tmp_path / "b"), NAME)
        registry.manifests["team/toy", str(manifest.digest)] = registry.manifests["team/toy", "latest"][0], b"{}"
        with pytest.raises(DigestMismatch, match="with the digest"):
            mover.pull(pinned, LocalStore(tmp_path / "c"), NAME)
    assert not (tmp_path / "c" / "manifests").exists()


def test_a_damaged_blob_is_fetched_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "b")
    with FakeRegistry() as registry:
        offer(registry)
        moved = fetch_model(store, f"oci://{registry.host}/team/toy", access=access())
        digest = moved.manifest.layers[0].digest
        store.blob_path(digest).write_bytes(b"x" * moved.manifest.layers[0].size)
        again = fetch_model(store, f"oci://{registry.host}/team/toy", access=access())
        assert [layer.digest for layer in again.moved] == [digest]
    assert store.models() == (ModelName.parse(f"{registry.host}/team/toy"),)
    assert store.blob_path(digest).read_bytes() == toy()[1][digest]


def test_progress_never_runs_backwards(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with FakeRegistry() as registry, Mover(access(), seen.append) as mover:
        offer(registry, size=BIG)
        mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)
    alls = [step.completed for step in seen if step.status == "all"]
    assert alls == sorted(alls)
    assert alls[-1] == seen[0].total


def test_a_registry_that_lacks_the_model(tmp_path: Path) -> None:
    with FakeRegistry() as registry, Mover(access()) as mover, pytest.raises(ModelNotFound, match="has no model"):
        mover.pull(at(registry), LocalStore(tmp_path / "b"), NAME)


def test_a_damaged_blob_is_not_pushed(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    digest = store.layout.manifest(NAME).layers[0].digest
    store.blob_path(digest).write_bytes(b"x" * 300_000)
    with FakeRegistry() as registry, Mover(access()) as mover:
        with pytest.raises(StoreError, match="damaged"):
            mover.push(store, NAME, at(registry))
        assert registry.manifests == {}


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with Mover(access()) as mover, pytest.raises(StoreError, match="something else"):
        mover.push(store, NAME, Folder(tmp_path / "mine"))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_place_without_a_name_in_ollamas_way() -> None:
    with pytest.raises(UsageError, match="has no name"):
        Reference.parse("oci://ghcr.io/a/b/c.d/model").model_name()
    with pytest.raises(UsageError, match="has no name"):
        Reference.parse("oci://ghcr.io/model").model_name()


def test_two_processes_may_pull_one_model(tmp_path: Path) -> None:
    import sys

    with FakeRegistry() as registry:
        offer(registry, size=BIG)
        code = [sys.executable, "-m", "modelsmith", "pull", f"oci://{registry.host}/team/toy", "--insecure"]
        code += ["--store", str(tmp_path / "b"), "--as", "toy"]
        running = [subprocess.Popen(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for process in running:
            _, err = process.communicate(timeout=600)
            assert process.returncode == 0, err
        assert registry.sent <= BIG + 20_000
    assert files(tmp_path / "b") == files(store_with(tmp_path / "a", size=BIG).layout.folder)
