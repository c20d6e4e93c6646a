"""docs/docker.md tells the truth: its compose file is one, and its two servers read one store to which the recipe was applied once."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama
from ruamel.yaml import YAML

from modelsmith.cli import run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "docker.md"


def written(marker: str) -> str:
    """Return the YAML on the page that holds ``marker``."""
    (found,) = (block for block in PAGE.read_text().split("```yml\n")[1:] if marker in block)
    return found.partition("```")[0]


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _port(entry: Any) -> str:
    """Return a port as docker-compose 1 writes it; 2 tells its parts."""
    if isinstance(entry, str):
        return entry
    return f"{entry['host_ip']}:{entry['published']}:{entry['target']}/{entry['protocol']}"


def _volume(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    return f"{entry['source']}:{entry['target']}:{'ro' if entry['read_only'] else 'rw'}"


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="apt-get install --no-install-recommends docker-compose"
)
def test_compose_takes_the_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(written("services:"))
    command = ["docker-compose", "-f", str(tmp_path / "compose.yaml"), "config"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    services = read(done.stdout)["services"]
    assert [_port(each["ports"][0]) for each in services.values()] == [
        "127.0.0.1:8880:11434/tcp",
        "127.0.0.1:8881:11434/tcp",
    ]
    for service in services.values():
        assert [_volume(each) for each in service["volumes"]] == [f"{tmp_path / 'models'}:/models:ro"]
        assert service["environment"] == {"OLLAMA_MODELS": "/models", "OLLAMA_NOPRUNE": "1"}


def test_the_pod_fills_the_volume_that_the_server_reads() -> None:
    pod = read(written("kind: Pod"))["spec"]
    (init,), (server,) = pod["initContainers"], pod["containers"]
    volumes = {each["name"] for each in pod["volumes"]}
    (into,), (models,) = init["volumeMounts"], server["volumeMounts"]
    assert {into["name"], models["name"]} == volumes
    assert models["readOnly"]
    assert into["mountPath"] in init["command"][-1]
    assert {each["name"]: each["value"] for each in server["env"]}["OLLAMA_MODELS"] == models["mountPath"]


def test_doctor_finds_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "md", str(PAGE)]) == 0, capsys.readouterr().out


def test_two_servers_on_one_folder_have_what_was_applied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = tmp_path / "models"
    words = ["--set", "base=sample:deepseek-r1", "--set", "name=r1", "--store", str(store), "--quiet"]
    assert run(["apply", "force-think", *words]) == 0
    before = sorted(path.read_bytes() for path in store.rglob("*") if path.is_file())
    capsys.readouterr()
    with FakeOllama(store) as first, FakeOllama(store) as second:
        listed = []
        for server in (first, second):
            assert run(["list", "--store", server.url, "--json"]) == 0
            (model,) = json.loads(capsys.readouterr().out)
            listed.append((model["name"], model["digest"]))
            monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))
            assert run(["show", "r1", "--template"]) == 0
            assert "<think>\\n" in capsys.readouterr().out
    assert listed[0] == listed[1]
    assert sorted(path.read_bytes() for path in store.rglob("*") if path.is_file()) == before
