"""``modelsmith fit`` and ``modelsmith gguf pair`` as commands: texts, JSON, exit codes, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fit_models import header, layers, write_header

from modelsmith.cli import run

NUMBERS = {"block_count": 4, "embedding_length": 256, "attention.head_count": 8, "context_length": 8192}


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_header(tmp_path / "small.gguf", header("llama", NUMBERS, layers(4)))


def test_a_table_over_contexts(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["fit", str(gguf), "--vram", "2G,2G", "--ctx", "4k,16384", "--kv-type", "q8_0,f16", "--parallel", "2"]) == 0
    )
    text = capsys.readouterr().out
    assert "small.gguf: llama, 4 layers, weights 2.5 MiB, made for 8,192 tokens" in text
    assert "GPU 0 2.0 GiB, GPU 1 2.0 GiB; cache q8_0/f16, 2 requests at once" in text
    assert "16k" in text
    assert "fits; longer than it was made for" in text
    assert "longest context wholly on the cards: 8,192 tokens (all it was made for)" in text


def test_nothing_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "--shape", "deepseek-r1:32b", "--vram", "16G", "--ctx", "4k"]) == 1
    assert "no context fits wholly on the cards" in capsys.readouterr().out
    assert run(["fit", "--shape", "deepseek-r1:32b", "--vram", "16G", "--ctx", "4k", "--gpu-layers", "20"]) == 0
    assert run(["fit", "--shape", "deepseek-r1:32b", "--vram", "none", "--ram", "8G"]) == 1
    assert "no context fits in main memory" in capsys.readouterr().out


def test_json(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", str(gguf), "--vram", "8G", "--ctx", "4k", "--json", "--explain"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["architecture"], data["layers"], data["longest_context"]) == ("llama", 4, 8192)
    (row,) = data["contexts"]
    assert (row["verdict"], row["gpu_layers"], row["all_layers"]) == ("fits", 5, 5)
    assert [device["name"] for device in row["devices"]] == ["GPU 0", "RAM"]
    assert row["devices"][0]["kv_cache"] == 4 * 4096 * 256 * 2 * 2
    assert row["total"] == sum(device["total"] for device in row["devices"])
    assert any(line.startswith("cache: 4 layers x 4,096 tokens") for line in row["explain"])


def test_quantizations(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "--shape", "deepseek-r1:14b", "--vram", "16G", "--ctx", "8k", "--quantizations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16"]
    assert lines[3].split()[1:] == ["8.4", "GiB", "fits", "39,680"]
    assert lines[-1].endswith("-")
    assert run(["fit", "--shape", "deepseek-r1:14b", "--vram", "16G", "--ctx", "8k", "--quantizations", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["Q6_K"]["contexts"][0]["verdict"] == "fits"


def test_another_type(gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", str(gguf), "--vram", "8G", "--type", "q8_0", "--explain"]) == 0
    assert "weights 1.3 MiB" in capsys.readouterr().out


def test_what_is_here_is_looked_for(
    gguf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert run(["fit", str(gguf), "--ctx", "4k"]) == 0
    assert "longest context" in capsys.readouterr().out


def test_files_beside_it(gguf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = header("clip", {"has_vision_encoder": True}, [("mm.2.weight", (16, 256))])
    projector = write_header(tmp_path / "mmproj.gguf", clip)
    options = ["--vram", "8G", "--ctx", "4k", "--json"]
    assert run(["fit", str(gguf), *options, "--mmproj", str(projector), "--draft", str(gguf)]) == 0
    extras = json.loads(capsys.readouterr().out)["contexts"][0]["devices"][0]["extras"]
    assert extras > 16 * 256 * 2 + 4 * 4096 * 256 * 2 * 2
    assert run(["fit", str(projector), *options]) == 2
    assert "--mmproj" in capsys.readouterr().err
    assert run(["fit", str(gguf), *options, "--mmproj", str(gguf)]) == 2


def test_shards_are_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = layers(4)
    split = {"split.count": 2, "split.no": 0}
    first = write_header(tmp_path / "m-00001-of-00002.gguf", header("llama", NUMBERS, whole[:6], others=split))
    assert run(["fit", str(first), "--vram", "8G"]) == 3
    write_header(
        tmp_path / "m-00002-of-00002.gguf", header("llama", NUMBERS, whole[6:], others=split | {"split.no": 1})
    )
    capsys.readouterr()
    assert run(["fit", str(first), "--vram", "8G", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == sum(
        2 * dims[0] * dims[1] if len(dims) > 1 else 4 * dims[0] for _, dims in whole
    )
    strange = first.rename(tmp_path / "strange.gguf")
    assert run(["fit", str(strange), "--vram", "8G"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which model"),
        (["x.gguf", "--shape", "deepseek-r1:7b"], "say which model"),
        (["--shape", "deepseek-r1:9b"], "is not known here"),
        (["--shape", "deepseek-r1:7b", "--vram", "much"], "is no size of a memory"),
        (["--shape", "deepseek-r1:7b", "--vram", ","], "names 0 values"),
        (["--shape", "deepseek-r1:7b", "--ctx", "long"], "is no context length"),
        (["--shape", "deepseek-r1:7b", "--kv-type", "q9"], "a cache cannot be of type"),
        (["--shape", "deepseek-r1:7b", "--kv-type", "q8_0", "--no-flash-attention"], "need flash attention"),
        (["--shape", "deepseek-r1:7b", "--parallel", "0"], "parallel is 0"),
        (["--shape", "deepseek-r1:7b", "--tensor-split", "a,b"], "is no list of shares"),
        (["--shape", "deepseek-r1:7b", "--tensor-split", "nan"], "is no list of shares"),
        (["--shape", "deepseek-r1:7b", "--type", "Q9"], "there is no quantization"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_header_that_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write_header(tmp_path / "bad.gguf", header("llama", NUMBERS | {"attention.head_count": 0}, layers(4)))
    assert run(["fit", str(bad), "--vram", "8G"]) == 3
    assert "llama.attention.head_count is 0" in capsys.readouterr().err
    bad.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert run(["fit", str(bad), "--vram", "8G"]) == 3
    assert "git" in capsys.readouterr().err


def test_a_model_that_is_not_here_may_be_known_by_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "deepseek-r1:32b", "--store", str(tmp_path), "--vram", "24G"]) == 3
    assert "--shape deepseek-r1:32b answers without it" in capsys.readouterr().err


def test_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_header(tmp_path / "text.gguf", header("gemma3", {"block_count": 1, "embedding_length": 64}, []))
    assert run(["gguf", "pair", str(tmp_path)]) == 1
    assert "no projector among these files" in capsys.readouterr().out
    clip = header(
        "clip", {"has_vision_encoder": True, "projector_type": "gemma3"}, [("mm.input_projection.weight", (64, 16))]
    )
    write_header(tmp_path / "mmproj.gguf", clip)
    assert run(["gguf", "pair", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "# gemma3, 64 wide like gemma3\nFROM ./text.gguf\nFROM ./mmproj.gguf\n"
    assert run(["gguf", "pair", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["from"] == ["FROM ./text.gguf", "FROM ./mmproj.gguf"]
    other = header("clip", {"has_vision_encoder": True}, [("mm.2.weight", (16, 32))])
    write_header(tmp_path / "other.gguf", other)
    assert run(["gguf", "pair", str(tmp_path)]) == 1
    assert (
        "makes embeddings 32 wide; it goes with no model here: text.gguf: gemma3 is 64 wide" in capsys.readouterr().out
    )


def test_quantize_so_that_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "quantize", "sample:deepseek-r1", "--fits-vram", "8G", "--ctx", "8k", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("F16")
    assert run(["gguf", "quantize", "sample:deepseek-r1", "--fits-vram", "64M", "--dry-run"]) == 2
    assert run(["gguf", "quantize", "sample:deepseek-r1", "--ctx", "8k", "--type", "Q8_0", "--dry-run"]) == 2
    assert "--fits-vram" in capsys.readouterr().err
