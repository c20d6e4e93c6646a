"""pull, push, copy, login, logout and registry serve as a user types them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.registry import FakeRegistry
from ports import free_port
from registry_models import NAME, files, offer, store_with

from modelsmith.cli import run
from modelsmith.store.local.local import LocalStore


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def test_pull_names_the_model_as_ollama_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeRegistry() as registry:
        offer(registry)
        assert run(["pull", f"{registry.host}/team/toy", "--insecure", "--store", str(tmp_path / "b")]) == 0
        out = capsys.readouterr().out
    assert f"pulled oci://{registry.host}/team/toy:latest as {registry.host}/team/toy:latest in" in out
    assert "5 blobs moved (300.0 kB" in out
    assert [name.short for name in LocalStore(tmp_path / "b").models()] == [f"{registry.host}/team/toy:latest"]


def test_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_with(tmp_path / "a")
    with FakeRegistry() as registry:
        place = f"oci://{registry.host}/team/toy"
        assert run(["push", "toy", place, "--insecure", "--dry-run", "--store", str(tmp_path / "a")]) == 0
        assert "5 blobs to move" in capsys.readouterr().out
        assert {line.split()[0] for line in registry.log} == {"HEAD"}
        offer(registry)
        assert run(["pull", place, "--insecure", "--dry-run", "--json", "--store", str(tmp_path / "b")]) == 0
        assert len(json.loads(capsys.readouterr().out)["missing"]) == 5
        assert run(["copy", place, "dir:x", "--insecure", "--dry-run"]) == 0
        assert run(["pull", place, "--insecure", "--print-urls", "--store", str(tmp_path / "b")]) == 0
        assert f"http://{registry.host}/v2/team/toy/blobs/sha256:" in capsys.readouterr().out
    assert not (tmp_path / "b").exists()


def test_urls_downloaded_by_another_program_become_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeRegistry() as registry:
        manifest = offer(registry)
        place = f"oci://{registry.host}/team/toy"
        run(["pull", place, "--insecure", "--print-urls", "--json", "--store", str(tmp_path / "b")])
        rows = json.loads(capsys.readouterr().out)["missing"]
        (tmp_path / "dir").mkdir()
        for row in rows:
            (tmp_path / "dir" / row["digest"][7:]).write_bytes(registry.blobs[row["url"].rpartition("/")[2]])
        (tmp_path / "dir" / "manifest.json").write_bytes(manifest.raw)
        assert run(["pull", f"dir:{tmp_path / 'dir'}", "--as", "toy", "--store", str(tmp_path / "b")]) == 0
    assert files(tmp_path / "b") == files(store_with(tmp_path / "a").layout.folder)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["pull", "dir:nowhere", "--as", "x"], 3, "is no folder with a model"),
        (["pull", "dir:nowhere"], 2, "has no name"),
        (["pull", "dir:"], 2, "names no folder"),
        (["pull", "ftp://x/y"], 2, "is no place for a model"),
        (["pull", "oci://host"], 2, "no name after the host"),
        (["pull", "oci://host/../x"], 2, "no part of a name"),
        (["pull", "oci://host/a:../b"], 2, "is no tag"),
        (["pull", "oci://host/a@sha256:12"], 3, "is not a digest"),
        (["pull", "oci://ho st/a"], 2, "is no host"),
        (["pull", "a//b"], 3, "not a model name"),
        (["pull", "oci://x.example/a/b/c"], 2, "has no name in Ollama's way"),
        (["push", "toy", "oci://x.example/a/b@sha256:" + "0" * 64], 2, "gets a tag"),
        (["push", "absent", "dir:out"], 3, "not found"),
        (["login", "not a host", "-u", "a", "--password-stdin"], 2, "no host of a registry"),
        (["login", "x.example", "--password-stdin"], 2, "needs --user"),
        (["logout", "x.example"], 1, "no login for"),
        (["copy", "absent", "other"], 3, "not found"),
    ],
)
def test_what_cannot_be_done(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store_with(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "a"))
    assert run(words) == code
    out, err = capsys.readouterr()
    assert said in out + err
    assert "bug" not in err


def test_copy_within_a_store_and_between_places(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    where = ["--store", str(tmp_path / "a")]
    assert run(["copy", "toy", "second", *where]) == 0
    assert run(["copy", "second", f"dir:{tmp_path / 'dir'}", *where]) == 0
    assert run(["copy", f"dir:{tmp_path / 'dir'}", "third", *where]) == 0
    assert [name.short for name in store.models()] == ["second:latest", "third:latest", "toy:latest"]


def bytes_on_disk(folder: Path) -> int:
    """Return how much the files take that are in a folder while another process works there."""
    total = 0
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total


def test_interrupted_it_keeps_what_came(tmp_path: Path) -> None:
    size = 40 << 20
    with FakeRegistry() as registry:
        offer(registry, size=size)
        moved, go_on = 0, threading.Event()

        def stop_halfway(count: int) -> None:
            nonlocal moved
            moved += count
            if moved > size // 2:
                go_on.wait()

        registry.on_bytes = stop_halfway
        words = [sys.executable, "-m", "modelsmith", "pull", f"oci://{registry.host}/team/toy", "--insecure", "--json"]
        words += ["--store", str(tmp_path / "b"), "--as", "toy"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        partial = tmp_path / "b" / ".modelsmith" / "partial"
        while bytes_on_disk(partial) <= 4 << 20:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
        assert process.returncode == 130
        assert err.decode().strip().endswith("interrupted")
        registry.on_bytes = lambda count: None
        go_on.set()
        result = subprocess.run(words, capture_output=True, check=True)
    assert 0 < json.loads(result.stdout)["received"] < size - (3 << 20)
    assert LocalStore(tmp_path / "b").layout.manifest(NAME)


def test_only_a_store_that_is_there_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MODELSMITH_STORE", raising=False)
    assert run(["registry", "serve", "--store", str(tmp_path / "typo")]) == 3
    assert "there is no folder" in capsys.readouterr().err
    assert run(["registry", "serve", "--store", "http://127.0.0.1:9"]) == 3
    assert "http://127.0.0.1:9 is a server, and this looks into a folder" in capsys.readouterr().err
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert run(["registry", "serve"]) == 3
    assert "OLLAMA_HOST=127.0.0.1:9 names a server" in capsys.readouterr().err
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "typo"))
    assert run(["registry", "serve"]) == 3
    assert "typo" in capsys.readouterr().err


def test_serve_until_it_is_interrupted(tmp_path: Path) -> None:
    store_with(tmp_path / "a")
    port = free_port()
    words = [sys.executable, "-m", "modelsmith", "registry", "serve", "--store", str(tmp_path / "a")]
    process = subprocess.Popen(
        [*words, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert f"at http://127.0.0.1:{port}" in process.stdout.readline().decode()
    assert run(["pull", f"oci://127.0.0.1:{port}/library/toy", "--insecure", "--store", str(tmp_path / "b")]) == 0
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert err.decode().strip() == "interrupted"
