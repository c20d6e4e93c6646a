from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.hub import FakeRepo
from hub_clients import client, hub_of

from modelsmith.errors import HubError
from modelsmith.hub.upload import Upload, publish

DATA = b"GGUF" + bytes(9000)


def test_files_become_one_commit_in_a_new_repository(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(DATA)
    with hub_of() as fake:
        hub = client(fake, tmp_path, token=fake.token)
        url = publish(
            hub, "org/new", [Upload("m-Q4_0.gguf", model), Upload("README.md", b"# hi")], "Add a model", private=True
        )
        assert url.startswith(f"{fake.url}/org/new/commit/")
        assert fake.repos["org/new"].files == {"m-Q4_0.gguf": DATA, "README.md": b"# hi"}
        assert fake.repos["org/new"].private
        posts = [path for path in fake.paths("POST") if not path.startswith("/lfs-verify")]
        assert posts == [
            "/api/repos/create",
            "/api/validate-yaml",
            "/api/models/org/new/preupload/main",
            "/org/new.git/info/lfs/objects/batch",
            "/api/models/org/new/commit/main",
        ]
        summary = json.loads(fake.bodies[-1].splitlines()[0])["value"]["summary"]
        assert summary == "Add a model"
        again = publish(hub, "org/new", [Upload("params", b"{}")], "Add parameters")
        assert again != url
        assert fake.repos["org/new"].files["params"] == b"{}"


def test_xet_is_done_without_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)  # as it was when that was imported
    model = tmp_path / "m.gguf"
    model.write_bytes(DATA)
    notes: list[str] = []
    with hub_of(repo=FakeRepo()) as fake:
        hub = client(fake, tmp_path, token=fake.token, xet=True)
        publish(hub, "org/repo", [Upload("m.gguf", model)], "Add", note=notes.append)
        assert fake.repos["org/repo"].files == {"m.gguf": DATA}
    assert len(notes) == 1
    assert notes[0].startswith("Xet failed")


def test_a_token_is_needed(tmp_path: Path) -> None:
    with hub_of() as fake:
        with pytest.raises(HubError, match="without a token") as caught:
            publish(client(fake, tmp_path), "org/new", [Upload("a", b"a")], "Add")
        assert "settings/tokens" in caught.value.hint
        with pytest.raises(HubError, match="HF_HUB_OFFLINE"):
            publish(client(fake, tmp_path, token="x", offline=True), "org/new", [Upload("a", b"a")], "Add")
        assert not fake.requests


def test_a_token_that_may_not_write_is_told(tmp_path: Path) -> None:
    with hub_of(repo=FakeRepo()) as fake:
        fake.fail = 403
        with pytest.raises(HubError, match=r"creating of org/repo is forbidden for the token in use"):
            publish(client(fake, tmp_path, token=fake.token), "org/repo", [Upload("a", b"a")], "Add")
