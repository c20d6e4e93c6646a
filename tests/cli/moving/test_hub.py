"""``pull`` and ``push`` of the Hub, against a small one and with the real client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.hub import FakeHub, FakeRepo
from hub_clients import hub_of

from modelsmith.cli import run
from modelsmith.models.sources.hub import forget
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return write_sample(tmp_path / "source.gguf", chat_template="{{ messages[0].content }}").read_bytes()


@pytest.fixture
def hub(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    forget()
    files = {"m-Q4_K_M.gguf": data, "m-Q8_0.gguf": data, "system": b"Be brief.", "params": b'{"stop": ["</s>", "x"]}'}
    checkpoint = {"config.json": b"{}", "model.safetensors": b"12345678", "train.py": b"import os"}
    with hub_of(model=FakeRepo(files), base=FakeRepo(checkpoint)) as fake:
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "MODELSMITH_STORE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield fake
    forget()


def test_a_quantization_becomes_a_model_with_the_name_that_ollama_gives_it(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    place = ["--store", str(tmp_path / "models")]
    assert run(["pull", "hf://org/model", "--dry-run", *place]) == 0
    out = capsys.readouterr().out
    assert "m-Q4_K_M.gguf" in out
    assert "would be hf.co/org/model:Q4_K_M" in out
    assert not (tmp_path / "models").exists()
    assert run(["pull", "hf://org/model", *place]) == 0
    assert f"pulled hf://org/model@{hub.repos['org/model'].commit}/m-Q4_K_M.gguf" in capsys.readouterr().out
    model = LocalStore(tmp_path / "models").show(ModelName.strict("hf.co/org/model:Q4_K_M"))
    assert model.weights is not None
    assert model.weights.read_bytes() == data, "as it is on the Hub"
    assert model.system == "Be brief."
    assert model.parameters["stop"] == ["</s>", "x"]
    sent = len(hub.requests)
    assert run(["pull", "hf.co/org/model:Q4_K_M", "--as", "short", *place]) == 0
    assert len(hub.requests) == sent, "nothing is asked for or downloaded twice"


def test_files_go_into_a_folder_or_a_file(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    assert run(["pull", "hf://org/base", "-o", str(tmp_path / "base")]) == 0
    assert sorted(path.name for path in (tmp_path / "base").iterdir()) == ["config.json", "model.safetensors"]
    assert f"pinned: hf://org/base@{hub.repos['org/base'].commit}" in capsys.readouterr().out
    assert run(["pull", "hf://org/model/README.md", "-o", str(tmp_path / "x")]) == 3
    assert "has no file README.md" in capsys.readouterr().err
    assert run(["pull", "hf://org/base/config.json", "-o", str(tmp_path / "c.json"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["files"] == [str(tmp_path / "c.json")]
    assert (tmp_path / "c.json").read_bytes() == b"{}"
    assert not (tmp_path / "c.json").is_symlink()
    assert (tmp_path / "c.json").stat().st_nlink == 1, "an edit of it must not reach the cache"
    (tmp_path / "c.json").write_bytes(b"[]")  # as long
    assert run(["pull", "hf://org/base/config.json", "-o", str(tmp_path / "c.json")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_what_is_no_model_says_how_to_get_its_files(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pull", "hf://org/base/config.json"]) == 2
    assert "modelsmith pull hf://org/base/config.json -o FOLDER" in capsys.readouterr().err


def test_urls_are_printed_for_other_programs(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pull", "hf://org/model:Q8_0", "--print-urls"]) == 0
    commit = hub.repos["org/model"].commit
    assert f"{hub.url}/org/model/resolve/{commit}/m-Q8_0.gguf" in capsys.readouterr().out


def test_a_gguf_is_published_with_a_card_made_of_it_and_the_recipe(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\nfrom: hf://Qwen/Qwen3-0.6B@main\ncreate: mine\n")
    arguments = ["push", str(tmp_path / "source.gguf"), "hf://org/New-GGUF", "--recipe", str(recipe), "--private"]
    assert run([*arguments, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "New-F16.gguf" in out
    assert 'base_model: "Qwen/Qwen3-0.6B"' in out
    assert run(arguments) == 3
    assert "without a token" in capsys.readouterr().err
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert f"published 2 files: {hub.url}/org/New-GGUF/commit/" in out
    assert hub.token not in out
    repo = hub.repos["org/New-GGUF"]
    assert repo.private
    assert repo.files["New-F16.gguf"] == data
    card = repo.files["README.md"].decode()
    assert card.startswith("---\n")
    assert "ollama run hf.co/org/New-GGUF:F16" in card
    assert "from: hf://Qwen/Qwen3-0.6B@main" in card
    assert "{{ messages[0].content }}" in card


def test_a_model_of_a_store_is_published_with_what_ollama_reads(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ["--store", str(tmp_path / "models")]
    assert run(["pull", "hf://org/model", "--as", "mine", *place]) == 0
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert run(["push", "mine", "hf://org/copy/copy-Q4_K_M.gguf", "--json", *place]) == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["files"] == ["copy-Q4_K_M.gguf", "system", "params", "README.md"]
    assert hub.repos["org/copy"].files["system"] == b"Be brief."
    forget()
    assert run(["pull", "hf.co/org/copy:Q4_K_M", "--as", "again", *place]) == 0
    store = LocalStore(tmp_path / "models")
    one, other = store.show(ModelName.strict("mine")), store.show(ModelName.strict("again"))
    assert (one.weights_digest, one.system, one.parameters) == (other.weights_digest, other.system, other.parameters)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "x", "hf://org/new:Q4_K_M"], "names no file to write"),
        (["push", "x", "hf://org/new/readme.md"], "names no file to write"),
        (["push", "x", "oci://localhost/x", "--private"], "for the Hugging Face Hub"),
        (["push", "hf.co/org/model"], "say where"),
        (["pull", "oci://localhost/x", "-o", "x"], "puts files of the Hub"),
        (["pull", "hf://org"], "names nothing on the Hugging Face Hub"),
    ],
)
def test_wrong_usage_is_told(
    hub: FakeHub, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err
