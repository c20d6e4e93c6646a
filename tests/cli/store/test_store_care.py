"""The commands that take care of a store's folder, as they are called."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama
from fakes.registry import FakeRegistry
from local_stores import check_whole, request
from registry_models import access, files, offer

from modelsmith.cli import run
from modelsmith.manifest import Digest
from modelsmith.registry.moving import fetch_model
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")  # nothing of this asks a server


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.create("m", request({"m.gguf": write_sample(tmp_path / "m.gguf")}, system="text"))
    return store


def orphan(store: LocalStore, text: bytes = b"nobody's", hours: float = 30) -> Path:
    path = store.blob_path(Digest.of(text))
    path.write_bytes(text)
    os.utime(path, (time.time() - hours * 3600,) * 2)
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(["store", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(["store", *arguments]) == code
    return capsys.readouterr().out


def test_fsck(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert "store: sound (1 models, " in shown(capsys, "fsck")
    path = orphan(store)
    assert f"info: orphan: {path}: no model needs it" in shown(capsys, "fsck")
    store.blob_path(Digest.of(b"text")).write_bytes(b"tex")
    output = shown(capsys, "fsck", "--deep", code=1)
    assert "truncated" in output.splitlines()[0]
    assert "(of m:latest): has 3 bytes instead of 4" in output
    assert "not sound" in output
    data = answer(capsys, "fsck", code=1)
    assert (data["sound"], data["models"]) == (False, 1)
    assert {fault["kind"]: fault["severity"] for fault in data["faults"]} == {"truncated": "error", "orphan": "info"}
    assert data["faults"][0]["models"] == ["m:latest"]


def test_many_of_a_kind_are_counted(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        orphan(store, str(number).encode())
    assert "… and 5 more of orphan" in shown(capsys, "fsck")
    assert len(answer(capsys, "fsck")["faults"]) == 25


def test_repair_fetches_from_the_registry_of_the_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = LocalStore(tmp_path / "store")
    with FakeRegistry() as registry:
        offer(registry)
        moved = fetch_model(store, f"oci://{registry.host}/team/toy", access=access())
        before = files(store.layout.folder)
        first, second = moved.manifest.layers[:2]
        store.blob_path(first.digest).write_bytes(b"x" * first.size)
        store.blob_path(second.digest).unlink()
        assert "not mended: nothing to fetch it from" in shown(capsys, "fsck", "--repair", "--offline", code=1)
        data = answer(capsys, "fsck", "--repair", "--insecure")
    assert data["sound"]
    assert sorted(each["kind"] for each in data["repaired"]) == ["missing", "wrong-digest"]
    assert all(each["done"].startswith("fetched") for each in data["repaired"])
    assert {path: data for path, data in files(store.layout.folder).items() if ".modelsmith" not in path} == {
        path: data for path, data in before.items() if ".modelsmith" not in path
    }
    assert list(store.layout.partial.iterdir()) == []


def test_a_repair_that_reaches_nobody(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.copy("m", "127.0.0.1:9/team/m")
    store.delete("m")
    store.blob_path(Digest.of(b"text")).unlink()
    data = answer(capsys, "fsck", "--repair", "--insecure", code=1)
    assert "127.0.0.1:9" in data["repaired"][0]["problem"]


def test_gc(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    path, young = orphan(store), orphan(store, b"young", hours=0)
    assert f"would go      8 B  {path.name}" in shown(capsys, "gc", "--dry-run")
    assert path.exists()
    output = shown(capsys, "gc")
    assert "8 B are free again" in output
    assert "1 younger ones (5 B) stay: they may still wait for their manifest" in output
    assert not path.exists()
    assert answer(capsys, "gc", "--grace", "0s")["removed"] == [{"path": str(young), "size": 5}]
    assert "nothing to remove" in shown(capsys, "gc")
    check_whole(store)


@pytest.mark.parametrize("grace", ["soon", "5", "-1h", "1y", "9" * 30 + "d"])
def test_a_grace_that_is_none(store: LocalStore, grace: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "gc", "--grace", grace]) == 2
    assert "2h" in capsys.readouterr().err


def test_gc_beside_a_server_waits_for_a_day(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = orphan(store, hours=5)
    with FakeOllama(tmp_path / "served") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        assert f"stay: an Ollama runs here ({server.url})" in shown(capsys, "gc")
        assert path.exists()
        assert answer(capsys, "gc", "--grace", "1h")["bytes"] == 8
    assert not path.exists()


def test_gc_says_why_nothing_goes(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    orphan(store)
    (store.layout.manifests / "registry.ollama.ai" / "library" / "m" / "bad").write_text("")
    assert run(["store", "gc"]) == 3
    error = capsys.readouterr().err
    assert "nobody can know what is needed" in error
    assert "store fsck" in error


def test_dedupe(store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = store.show("m").weights
    assert weights is not None
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / "m.gguf"
    own.write_bytes(weights.read_bytes())
    own.chmod(0o644)
    assert "own/m.gguf: would become one" in shown(capsys, "dedupe", "own", "--dry-run")
    data = answer(capsys, "dedupe", "own", "--link", "hard")
    assert data["bytes"] == own.stat().st_size
    assert weights.samefile(own)
    assert "no file there" in shown(capsys, "dedupe", "own", "--link", "hard")
    assert run(["store", "dedupe", "typo"]) == 3


def test_path(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "path").strip() == str(store.layout.folder)
    assert shown(capsys, "path", "m").strip() == str(store.show("m").weights)
    data = answer(capsys, "path", "m")
    assert Path(data["manifest"]).is_file()
    assert all(Path(blob["path"]).stat().st_size == blob["size"] for blob in data["blobs"])
    assert set(answer(capsys, "path")) == {"folder", "blobs", "manifests"}
    assert run(["store", "path", "nosuch"]) == 3
    weights = store.show("m").weights
    assert weights is not None
    weights.unlink()
    assert run(["store", "path", "m"]) == 3
    assert "fsck --repair" in capsys.readouterr().err


def test_doctor(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    run(["store", "doctor"])
    output = capsys.readouterr().out
    assert f"folder: {store.layout.folder}" in output
    store.layout.folder.chmod(0o777)
    assert run(["store", "doctor", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {"name", "severity", "text", "hint"} == set(rows[0])


@pytest.mark.parametrize("command", [["fsck"], ["gc"], ["doctor"], ["path"], ["dedupe", "."]], ids=" ".join)
def test_only_a_folder_is_looked_into(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for named in ("http://127.0.0.1:9", "127.0.0.1:9", "typo"):
        assert run(["store", *command, "--store", named]) == 3
        assert named in capsys.readouterr().err
    monkeypatch.delenv("MODELSMITH_STORE")
    assert run(["store", *command]) == 3
    assert "OLLAMA_HOST=127.0.0.1:9 names a server" in capsys.readouterr().err
