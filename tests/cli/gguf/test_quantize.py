"""``modelsmith gguf quantize`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quantize_models import block_tensors, write_model
from quantize_oracle import needs_ggml

from modelsmith.cli import run
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.quantize.numpy_codec import NumpyCodec


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_model(Path("m.gguf"), block_tensors(4, rows=32), kind="F16", numbers={"block_count": 4})


def test_the_plan_is_shown_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "m.gguf", "--type", "q4_k_m", "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert plan.startswith("Q4_K_M: ")
    assert "bits per weight" in plan
    assert "Q4_K" in plan
    assert "Q6_K" in plan
    assert sorted(path.name for path in Path().iterdir()) == ["m.gguf"]


def test_a_file_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "m.gguf", "q8.gguf", "-t", "Q8_0", "--report", "--threads", "2"]) == 0
    told = capsys.readouterr().out
    assert "wrote q8.gguf" in told
    assert "relative" in told
    assert "blk.0.attn_q.weight" in told or "more; --json has all" in told
    assert GGUFFile.open("q8.gguf").file_type == "Q8_0"
    assert f"({Path('q8.gguf').stat().st_size:,} bytes)" in told
    assert run(["gguf", "quantize", "m.gguf", "q8.gguf", "-t", "Q8_0"]) == 0  # byte for byte what is there
    capsys.readouterr()
    assert run(["gguf", "quantize", "m.gguf", "q8.gguf", "-t", "BF16"]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["gguf", "quantize", "m.gguf", "q8.gguf", "-t", "BF16", "--force"]) == 0
    assert GGUFFile.open("q8.gguf").file_type == "BF16"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "gguf",
        "quantize",
        "m.gguf",
        "out.gguf",
        "-t",
        "Q8_0",
        "--tensor",
        r"blk\.0\.=F16",
        "--json",
        "--report",
    ]
    assert run(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["size"] == Path("out.gguf").stat().st_size
    tensors = {each["name"]: each for each in answer["tensors"]}
    assert tensors["blk.1.attn_q.weight"]["to"] == "Q8_0"
    assert tensors["blk.1.attn_q.weight"]["relative_error"] < 0.01
    assert tensors["blk.0.attn_q.weight"]["to"] == "F16"
    assert "rmse" not in tensors["blk.0.attn_q.weight"]
    assert sum(found["tensors"] for found in answer["types"].values()) == len(tensors)
    assert run([*command[:3], "--target-size", "1M", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "F16"


@needs_ggml
def test_the_mix_is_chosen_by_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "m.gguf", "out.gguf", "--target-size", "190k"]) == 0
    assert capsys.readouterr().out.startswith("Q5_K_M: ")
    assert Path("out.gguf").stat().st_size <= 190_000
    assert run(["gguf", "quantize", "m.gguf", "none.gguf", "--target-size", "9k"]) == 2
    assert "no quantization is small enough" in capsys.readouterr().err


def test_the_mix_is_chosen_by_memory(capsys: pytest.CaptureFixture[str]) -> None:
    start = ["gguf", "quantize", "m.gguf", "--dry-run", "--json", "--fits-vram"]
    assert run([*start, "8G"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "F16"
    assert run([*start, "2M,2M", "--ctx", "128k"]) == 2
    assert "no quantization is small enough" in capsys.readouterr().err
    assert run([*start, "many"]) == 2
    assert "is no size of a memory" in capsys.readouterr().err


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    start = ["gguf", "quantize", "m.gguf"]
    for arguments, reason in (
        (["out.gguf"], "say what to quantize to"),
        (["out.gguf", "-t", "Q8_0", "--target-size", "1G"], "say what to quantize to"),
        (["-t", "Q8_0"], "say where to write"),
        (["out.gguf", "-t", "Q8_0", "--ctx", "8k"], "--ctx says nothing"),
        (["out.gguf", "-t", "Q99"], 'no quantization "Q99"'),
        (["out.gguf", "-t", "Q8_0", "--tensor", "nothing"], "no rule for tensors"),
        (["m.gguf", "-t", "Q8_0", "--force"], "m.gguf would be overwritten, and it is what is read"),
        (["out.gguf", "-t", "IQ2_XS"], "importance matrix"),
        (["out.gguf", "--target-size", "12 bananas"], "is no size"),
        (["out.gguf", "-t", "Q8_0", "--imatrix", "m.gguf"], "GGUF without an importance matrix"),
    ):
        assert run([*start, *arguments]) == 2, arguments
        assert reason in capsys.readouterr().err
    assert run(["gguf", "quantize", "missing.gguf", "out.gguf", "-t", "Q8_0"]) == 3
    assert "does not exist" in capsys.readouterr().err
    assert run(["gguf", "quantise", "m.gguf"]) == 2
    assert 'did you mean "quantize"' in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["m.gguf"]


def test_without_ggml_the_way_out_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelsmith.weights.quantize.run.find_codec", NumpyCodec)
    assert run(["gguf", "quantize", "m.gguf", "out.gguf", "-t", "Q4_K_M"]) == 3
    assert 'pip install "modelsmith[quantize]"' in capsys.readouterr().err
    assert run(["gguf", "quantize", "m.gguf", "out.gguf", "-t", "Q8_0"]) == 0


def test_the_list_of_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "--list"]) == 0
    assert "Q4_K_M     4.9 bits" in capsys.readouterr().out


def test_a_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "sample:deepseek-r1", "-t", "Q4_K_M", "--dry-run", "--report"]) == 0
    assert "its rows do not fit" in capsys.readouterr().out
