from __future__ import annotations

from pathlib import Path

import pytest
from fakes.hub import FakeRepo
from hub_clients import client, hub_of

from modelsmith.errors import HubError, UsageError
from modelsmith.hub.client import Hub
from modelsmith.hub.settings import HubSettings

GGUF = b"GGUF" + bytes(range(256)) * 20


def repo(**more: object) -> FakeRepo:
    return FakeRepo({"m-Q4_0.gguf": GGUF, "README.md": b"# hello"}, **more)  # type: ignore[arg-type]


def test_a_revision_becomes_a_commit_and_a_list_of_files(tmp_path: Path) -> None:
    with hub_of(repo=repo(card={"license": "mit"})) as fake:
        found = client(fake, tmp_path).snapshot("org/repo")
        assert found.commit == fake.repos["org/repo"].commit
        assert found.files["m-Q4_0.gguf"].size == len(GGUF)
        assert len(found.files["m-Q4_0.gguf"].sha256) == 64
        assert len(found.files["README.md"].blob) == 40
        assert found.card["license"] == "mit"
        assert fake.paths() == ["/api/models/org/repo/revision/main?blobs=true"]
        assert client(fake, tmp_path).snapshot("org/repo", "refs/pr/1").revision == "refs/pr/1"


def test_a_private_repository_needs_the_token_which_is_never_shown(tmp_path: Path) -> None:
    with hub_of(repo=repo(private=True)) as fake:
        with pytest.raises(HubError, match="not there, or is private: somebody without a token") as caught:
            client(fake, tmp_path).snapshot("org/repo")
        assert "HF_TOKEN" in caught.value.hint
        settings = HubSettings(fake.url, fake.token, tmp_path, offline=False, xet=False)
        assert Hub(settings).snapshot("org/repo").commit
        assert fake.token not in repr(settings)


def test_a_wrong_token_is_told(tmp_path: Path) -> None:
    with hub_of(repo=repo()) as fake, pytest.raises(HubError, match="does not accept the token") as caught:
        client(fake, tmp_path, token="hf_wrong").snapshot("org/repo")
    assert "hf_wrong" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [("org/none", "", "not there, or is private"), ("org/repo", "v9", "has no revision v9")],
)
def test_what_is_not_there_is_told_with_a_page(name: str, revision: str, message: str, tmp_path: Path) -> None:
    with hub_of(repo=repo()) as fake:
        with pytest.raises(HubError, match=message) as caught:
            client(fake, tmp_path).snapshot(name, revision)
        assert fake.url in caught.value.hint


@pytest.mark.parametrize(("status", "message"), [(429, "asked too often"), (503, "out of order")])
def test_a_busy_or_broken_hub_is_told(
    status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with hub_of(repo=repo()) as fake:
        fake.fail = status
        with pytest.raises(HubError, match=message) as caught:
            client(fake, tmp_path).snapshot("org/repo")
        assert caught.value.status == status


def test_nobody_there_is_told_with_the_way_to_work_offline(tmp_path: Path) -> None:
    settings = HubSettings("http://127.0.0.1:9", "", tmp_path, offline=False, xet=False)
    with pytest.raises(HubError, match="does not answer") as caught:
        Hub(settings).snapshot("org/repo")
    assert "HF_HUB_OFFLINE" in caught.value.hint


def test_files_whose_paths_lead_elsewhere_are_not_listed(tmp_path: Path) -> None:
    with hub_of(repo=repo(names={"README.md": "../../../etc/cron.d/x"})) as fake:
        assert list(client(fake, tmp_path).snapshot("org/repo").files) == ["m-Q4_0.gguf"]


def test_a_commit_that_is_none_is_refused(tmp_path: Path) -> None:
    with hub_of(repo=repo(commit="../../x")) as fake, pytest.raises(HubError, match="none of a Hub"):
        client(fake, tmp_path).snapshot("org/repo")


def test_settings_come_from_the_variables_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hf_file\n")
    environment = {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "YES"}
    found = HubSettings.read(environment)
    assert (found.endpoint, found.token, found.offline, found.xet) == ("https://mirror.example", "hf_file", True, True)
    assert found.cache == tmp_path / "hub"
    assert HubSettings.read(environment | {"HF_TOKEN": "hf_set"}).token == "hf_set"
    assert HubSettings.read({"HF_HUB_CACHE": "/c", "HF_HUB_DISABLE_XET": "1"}).cache == Path("/c")
    with pytest.raises(UsageError, match="is no URL"):
        HubSettings.read({"HF_ENDPOINT": "mirror.example"})
