"""``modelsmith import`` and ``modelsmith inspect`` as they are run."""

import json
from pathlib import Path

import pytest
from checkpoints import FAMILIES, write_checkpoint

from modelsmith.cli import run
from modelsmith.weights.gguf.file import GGUFFile


def test_import_writes_a_file_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen3"])
    out = tmp_path / "out.gguf"
    assert run(["import", str(folder), "-o", str(out), "--type", "q8_0"]) == 0
    assert f"wrote {out}" in capsys.readouterr().out
    assert GGUFFile.open(out).file_type == "Q8_0"
    assert run(["import", str(folder), "-o", str(out)]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert run(["import", str(folder), "-o", str(out), "--force", "--json", "--name", "Mine"]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == out.stat().st_size
    assert GGUFFile.open(out).metadata["general.name"] == "Mine"


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen3"])
    assert run(["import", str(folder), "--dry-run", "--type", "q4_k_m"]) == 0
    assert "Q4_K_M" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert run(["import", str(folder), "--dry-run"]) == 0
    assert "BF16: " in capsys.readouterr().out
    assert run(["import", str(folder)]) == 2
    assert run(["import", str(folder), "--dry-run", "--tensor", "x=Q8_0"]) == 2


def test_what_is_no_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(tmp_path / "none"), "-o", "x.gguf"]) == 3
    assert "does not exist" in capsys.readouterr().err
    assert run(["import", str(tmp_path), "-o", str(tmp_path / "x.gguf")]) == 3
    assert "has no config.json" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert run(["inspect", str(tmp_path / "file")]) == 3


def test_inspect_foretells_sizes_to_the_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["llama-2"])
    assert run(["inspect", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["family"], found["tokenizer"]) == ("llama", "SentencePiece")
    assert run(["import", str(folder), "-o", str(tmp_path / "x.gguf"), "--type", "q8_0"]) == 0
    assert found["sizes"]["Q8_0"] == (tmp_path / "x.gguf").stat().st_size
    assert found["ollama"] == []
    assert run(["inspect", str(folder)]) == 0


def test_inspect_says_what_would_go_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_checkpoint(tmp_path / "m", FAMILIES["qwen3"], shards=3)
    (folder / "model-00002-of-00003.safetensors").unlink()
    (folder / "adapter.safetensors").touch()
    (folder / "pytorch_model.bin").touch()
    (folder / "out.json").symlink_to(tmp_path / "elsewhere.json")
    assert run(["inspect", str(folder)]) == 1
    text = capsys.readouterr().out
    for part in (
        "model-00002-of-00003.safetensors",
        "adapter.safetensors",
        "pickles are never opened",
        "insecure path",
        "unsupported architecture",
    ):
        assert part in text
    folder = write_checkpoint(tmp_path / "lfs", FAMILIES["qwen3"])
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert run(["inspect", str(folder), "--json"]) == 1
    (remark, *_) = json.loads(capsys.readouterr().out)["remarks"]
    assert "git-lfs pointer" in remark["message"]
    assert "git lfs pull" in remark["hint"]
