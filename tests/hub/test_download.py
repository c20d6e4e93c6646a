from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fakes.hub import FakeRepo
from hub_clients import client, hub_of

from modelsmith.errors import DigestMismatch, HubError
from modelsmith.hub.download import download, download_all
from modelsmith.progress import Progress

DATA = b"GGUF" + bytes(number * number % 251 for number in range(300_000))


def repo(**more: object) -> FakeRepo:
    return FakeRepo({"a/m-Q4_0.gguf": DATA, "params": b'{"stop": ["x"]}'}, **more)  # type: ignore[arg-type]


def test_files_come_into_the_cache_of_the_hub_verified(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with hub_of(repo=repo()) as fake:
        hub = client(fake, tmp_path, token=fake.token)
        snapshot = hub.snapshot("org/repo")
        model, params = download_all(hub, snapshot, snapshot.files.values(), seen.append)
        assert (model.read_bytes(), params.read_bytes()) == (DATA, b'{"stop": ["x"]}')
        assert model == tmp_path / f"models--org--repo/snapshots/{snapshot.commit}/a/m-Q4_0.gguf"
        assert model.resolve().name == hashlib.sha256(DATA).hexdigest()
        assert (tmp_path / "models--org--repo/refs/main").read_text() == snapshot.commit
        assert (seen[0].status, seen[0].total) == ("downloading m-Q4_0.gguf", len(DATA))
        assert max(each.completed for each in seen) == len(DATA)
        before = len(fake.requests)
        assert download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"]) == model
        assert len(fake.requests) == before, "what is there is not asked for again"


def test_the_real_client_finds_what_was_downloaded(tmp_path: Path) -> None:
    from huggingface_hub import hf_hub_download

    with hub_of(repo=repo()) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        download_all(hub, snapshot, snapshot.files.values())
        sent = len(fake.paths("GET"))
        found = hf_hub_download("org/repo", "a/m-Q4_0.gguf", cache_dir=tmp_path, endpoint=fake.url, token=False)
        assert Path(found).read_bytes() == DATA
        assert len(fake.paths("GET")) == sent


def test_an_interrupted_download_goes_on_in_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    with hub_of(repo=repo()) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        fake.cut = 100_000
        assert download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"]).read_bytes() == DATA
        ranges = [headers["range"] for method, path, headers in fake.requests if "range" in headers and "cdn" in path]
        assert len(ranges) == 1
        assert int(ranges[0].removeprefix("bytes=").rstrip("-")) <= 100_000


def test_the_next_run_goes_on_behind_the_last_byte(tmp_path: Path) -> None:
    with hub_of(repo=repo()) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        file = snapshot.files["a/m-Q4_0.gguf"]
        blobs = tmp_path / "models--org--repo/blobs"
        blobs.mkdir(parents=True)
        (blobs / f"{file.sha256}.incomplete").write_bytes(DATA[:250_000])
        assert download(hub, snapshot, file).read_bytes() == DATA
        assert [headers["range"] for _, path, headers in fake.requests if "cdn" in path] == ["bytes=250000-"]
        assert not list(blobs.glob("*.incomplete"))


@pytest.mark.parametrize("begun", [b"", b"\0" * 1000])
def test_what_is_damaged_is_thrown_away_and_told(begun: bytes, tmp_path: Path) -> None:
    damaged = {} if begun else {"a/m-Q4_0.gguf": DATA[:-1] + b"?"}
    with hub_of(repo=repo(damage=damaged)) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        file = snapshot.files["a/m-Q4_0.gguf"]
        blobs = tmp_path / "models--org--repo/blobs"
        blobs.mkdir(parents=True)
        if begun:
            (blobs / f"{file.sha256}.incomplete").write_bytes(begun)
        with pytest.raises(DigestMismatch, match="the Hub announced"):
            download(hub, snapshot, file)
        assert not list(blobs.iterdir())
        assert hub.cached(snapshot, file) is None


def test_a_file_that_ends_early_is_an_error_and_stays_to_go_on(tmp_path: Path) -> None:
    with hub_of(repo=repo(damage={"a/m-Q4_0.gguf": DATA[:1000]})) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        with pytest.raises(HubError, match="did not come whole") as caught:
            download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"])
        assert "goes on" in caught.value.hint


def test_a_gated_repository_names_the_page_to_visit(tmp_path: Path) -> None:
    with hub_of(repo=repo(gated=True)) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        with pytest.raises(HubError, match="is gated: somebody without a token") as caught:
            download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"])
        assert f"visit {fake.url}/org/repo" in caught.value.hint
        assert "HF_TOKEN" in caught.value.hint
        assert download(client(fake, tmp_path, token=fake.token), snapshot, snapshot.files["a/m-Q4_0.gguf"])


def test_xet_is_done_without_where_it_fails(tmp_path: Path) -> None:
    notes: list[str] = []
    with hub_of(repo=repo()) as fake:
        fake.xet = True
        hub = client(fake, tmp_path, xet=True)
        snapshot = hub.snapshot("org/repo")
        assert download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"], note=notes.append).read_bytes() == DATA
        assert any("xet-read-token" in path for path in fake.paths("GET"))
        assert len(notes) == 1
        assert "Xet failed for m-Q4_0.gguf" in notes[0]


def test_xet_is_not_tried_where_it_is_off(tmp_path: Path) -> None:
    with hub_of(repo=repo()) as fake:
        fake.xet = True
        hub = client(fake, tmp_path, xet=False)
        snapshot = hub.snapshot("org/repo")
        assert download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"]).read_bytes() == DATA
        assert not any("xet" in path for path in fake.paths())


def test_offline_only_what_was_downloaded_is_there(tmp_path: Path) -> None:
    with hub_of(repo=repo()) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        path = download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"])
        fake.requests.clear()
        offline = client(fake, tmp_path, offline=True)
        found = offline.snapshot("org/repo")
        assert found.commit == snapshot.commit
        assert list(found.files) == ["a/m-Q4_0.gguf"]
        assert download(offline, found, found.files["a/m-Q4_0.gguf"]) == path
        with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
            download(offline, snapshot, snapshot.files["params"])
        with pytest.raises(HubError, match="was not downloaded"):
            offline.snapshot("org/other")
        assert not fake.requests


def test_a_list_and_a_file_that_do_not_agree_are_told(tmp_path: Path) -> None:
    with hub_of(repo=repo(sizes={"a/m-Q4_0.gguf": 5})) as fake:
        hub = client(fake, tmp_path)
        snapshot = hub.snapshot("org/repo")
        with pytest.raises(HubError, match="has 5 bytes, and the list of files says"):
            download(hub, snapshot, snapshot.files["a/m-Q4_0.gguf"])
