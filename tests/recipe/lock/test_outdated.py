"""What is newer than a lock, on a registry and on a Hub of this machine; pins that hold when the Hub moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.hub import FakeHub, FakeRepo
from fakes.registry import FakeRegistry
from git_repositories import commit, repository
from hub_clients import hub_of

from modelsmith.cli import run
from modelsmith.models.sources.hub import forget
from modelsmith.recipe.lock.file import read_lock
from modelsmith.recipe.remote import git as git_module
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", "models")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    data = write_sample(tmp_path / "m-F16.gguf", chat_template="{{ messages[0].content }}").read_bytes()
    forget()
    with hub_of(model=FakeRepo({"m-F16.gguf": data}, commit=OLD)) as fake:
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield fake
    forget()


def standings(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    capsys.readouterr()
    code = run(["outdated", *arguments, "--json"])
    return code, {row["what"]: row for row in json.loads(capsys.readouterr().out)}


def test_a_base_on_the_hub_is_pinned_until_it_is_upgraded(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r.yaml").write_text("name: r\nfrom: hf://org/model:F16\nsystem: Be brief.\ncreate: made\n")
    assert run(["lock", "r.yaml"]) == 0
    assert read_lock(Path("modelsmith.lock")).models["made:latest"].base.commit == OLD
    code, found = standings(capsys)
    assert (code, found["hf://org/model:F16"]["state"]) == (0, "current")
    hub.repos["org/model"] = FakeRepo(
        files={"m-F16.gguf": write_sample(tmp_path / "n.gguf", seed=3).read_bytes()}, commit=NEW
    )
    forget()
    code, found = standings(capsys)
    assert (code, found["hf://org/model:F16"]["newest"]) == (1, NEW[:12])
    assert "--upgrade" in found["hf://org/model:F16"]["way"]
    forget()
    assert run(["plan", "r.yaml", "--check"]) == 1
    assert f"(commit): {OLD[:12]} -> {NEW[:12]}" in capsys.readouterr().out
    hub.requests.clear()
    assert run(["plan", "r.yaml", "--from-lock", "--check"]) == 0
    assert not hub.requests, "a plan from the lock asks nobody"
    forget()
    assert run(["lock", "--upgrade"]) == 0
    assert read_lock(Path("modelsmith.lock")).models["made:latest"].base.commit == NEW


def test_a_model_of_a_registry(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeRegistry() as registry:
        store = LocalStore("models")
        name = f"{registry.host}/library/base:v1"
        Path("r.yaml").write_text(f"name: r\nfrom: {name}\nsystem: Be brief.\ncreate: made\n")
        Path("base.yaml").write_text(f"name: b\nfrom: sample:deepseek-r1\ncreate: {name}\n")
        assert run(["apply", "base.yaml", "--quiet"]) == 0
        first = store.layout.manifest_path(store.models()[0]).read_bytes()
        assert run(["lock", "r.yaml"]) == 0
        code, found = standings(capsys, "--insecure")
        assert (code, found[name]["state"], found[name]["newest"]) == (0, "current", "")
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        registry.manifests["library/base", "v1"] = (kind, first)
        code, found = standings(capsys, "--insecure")
        assert (code, found[name]["newest"]) == (0, found[name]["locked"])
        registry.manifests["library/base", "v1"] = (kind, first.replace(b"{", b"{ ", 1))
        code, found = standings(capsys, "--insecure")
        assert (code, found[name]["state"]) == (1, "outdated")
        assert found[name]["way"].startswith(f"ollama pull {name}")
        store.delete(name)
        registry.manifests.clear()
        code, found = standings(capsys, "--insecure")
        assert (code, found[name]["state"]) == (0, "unknown")


def test_a_lock_of_an_older_tool(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text("name: r\nfrom: sample:deepseek-r1\ncreate: made\n")
    assert run(["lock", "r.yaml", "--target-ollama", "0.20.0"]) == 0
    code, found = standings(capsys)
    assert code == 1
    assert found["modelsmith"]["state"] == "current"
    assert (found["ollama"]["locked"], found["ollama"]["state"]) == ("0.20.0", "outdated")
    assert run(["outdated"]) == 1
    assert capsys.readouterr().out.startswith("MODEL")


def test_recipes_of_a_team(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    git_module.forget()
    recipe = "name: r\nfrom: sample:deepseek-r1\nsystem: %s\ncreate: made\n"
    team = repository(tmp_path / "team", {"r.yaml": recipe % "a"})
    assert run(["recipes", "add", "team", f"git+{team.as_uri()}@main"]) == 0
    assert run(["lock", "team/r"]) == 0
    code, found = standings(capsys)
    first = found["recipes team"]["locked"]
    assert (code, found["recipes team"]["state"], found["recipes team"]["newest"]) == (0, "current", first)
    second = commit(team, {"r.yaml": recipe % "b"})[:12]
    git_module.forget()
    code, found = standings(capsys)
    assert (code, found["recipes team"]["state"], found["recipes team"]["newest"]) == (1, "outdated", second)
    assert found["recipes team"]["way"].startswith("`modelsmith recipes update team`, then")
    assert run(["recipes", "update"]) == 0
    code, found = standings(capsys)
    assert (code, found["recipes team"]["state"], found["recipes team"]["here"]) == (1, "moved", second)
    assert run(["lock"]) == 0
    team.rename(tmp_path / "gone")
    git_module.forget()
    code, found = standings(capsys)
    assert (code, found["recipes team"]["state"], found["recipes team"]["locked"]) == (0, "unknown", second)
    git_module.forget()
