"""Models into and out of an Ollama server, whose own pull and push do the work."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.ollama import FakeOllama
from fakes.registry import FakeRegistry
from registry_models import NAME, access, offer, store_with

from modelsmith.cli import run
from modelsmith.errors import Unsupported
from modelsmith.name import ModelName
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.registry.through_server import pull_into_server
from modelsmith.store.ollama.ollama import OllamaStore


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def test_what_needs_a_login_gets_into_a_server(tmp_path: Path) -> None:
    import json

    with FakeRegistry(login="alice:secret") as registry, FakeOllama(tmp_path / "o") as server:
        manifest = offer(registry)
        (tmp_path / "docker").mkdir()
        auth = {"auths": {registry.host: {"auth": "YWxpY2U6c2VjcmV0"}}}
        (tmp_path / "docker" / "config.json").write_text(json.dumps(auth))
        words = ["pull", f"oci://{registry.host}/team/toy", "--as", "mine", "--insecure", "--store", server.url]
        assert run(words) == 0
        assert [name.short for name in server.store.models()] == ["mine:latest"]
        assert server.store.layout.manifest(ModelName.parse("mine")).raw == manifest.raw


def test_a_folder_gets_into_a_server(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    with FakeOllama(tmp_path / "o") as server:
        assert run(["pull", f"dir:{tmp_path / 'a-dir'}", "--as", "mine", "--store", server.url]) == 0
        assert server.store.layout.manifest(ModelName.parse("mine")).raw == store.layout.manifest(NAME).raw


def test_a_server_elsewhere_cannot_be_offered_anything(tmp_path: Path) -> None:
    place = Reference("r.example", "team/toy")
    with Mover(access()) as mover, pytest.raises(Unsupported, match="on another machine"):
        pull_into_server(mover, place, OllamaStore("http://far.example:11434"), NAME, lambda step: None)


def test_dry_run_of_a_server_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOllama(tmp_path / "o") as server:
        assert run(["pull", "qwen3:8b", "--dry-run", "--store", server.url]) == 3
        assert "cannot be known beforehand" in capsys.readouterr().err
