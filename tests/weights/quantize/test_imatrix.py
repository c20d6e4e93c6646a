"""Importance matrices: both formats, what they change, and what is wrong with damaged ones."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from quantize_models import TYPE, block_tensors, write_model
from quantize_oracle import needs_ggml, needs_llama_cpp, quantized

from modelsmith.errors import InvalidGGUF, ModelsmithError, UnreadableFile, Unsupported, UsageError
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.sample import array_entry
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.quantize.imatrix import ImportanceMatrix
from modelsmith.weights.quantize.mixes import MIXES
from modelsmith.weights.quantize.numpy_codec import NumpyCodec
from modelsmith.weights.quantize.plan import plan_quantize
from modelsmith.weights.quantize.quantize import open_parts, quantize, write_quantized
from modelsmith.weights.quantize.wishes import Wishes

Sums = Mapping[str, Sequence[float]]
EXPERTS = 2


def write_legacy(path: Path, sums: Sums, *, calls: int = 3, end: bytes | None = None) -> Path:
    data = struct.pack("<i", len(sums))
    for name, values in sums.items():
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", calls, len(values))
        data += struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(data + (struct.pack("<ii", 7, 8) + b"text.txt" if end is None else end))
    return path


def write_gguf(path: Path, sums: Sums, *, calls: int = 3, without: str = "") -> Path:
    entries = [
        Entry.of("general.type", ValueType.STRING, "imatrix"),
        array_entry("imatrix.datasets", ValueType.STRING, ["text.txt"]),
        Entry.of("imatrix.chunk_count", ValueType.UINT32, 7),
        Entry.of("imatrix.chunk_size", ValueType.UINT32, 512),
    ]
    rows: list[tuple[Tensor, bytes]] = []
    for name, values in sums.items():
        experts = EXPERTS if "_exps" in name else 1
        rows.append(
            (
                Tensor(f"{name}.in_sum2", (len(values) // experts, experts), TYPE["F32"], 0, 4 * len(values)),
                struct.pack(f"<{len(values)}f", *values),
            )
        )
        rows.append(
            (
                Tensor(f"{name}.counts", (1, experts), TYPE["F32"], 0, 4 * experts),
                struct.pack(f"<{experts}f", *[calls] * experts),
            )
        )
    with path.open("wb") as file:
        kept = [entry for entry in entries if entry.key.decode() != without]
        for segment in packed(kept, [row for row in rows if not without or not row[0].name.endswith(without)], 32):
            file.write(segment if isinstance(segment, bytes) else segment.read())
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tensors = block_tensors(1, experts=EXPERTS)
    numbers = {"block_count": 1, "expert_count": EXPERTS, "expert_used_count": EXPERTS}
    return write_model(tmp_path_factory.mktemp("model") / "m.gguf", tensors, numbers=numbers)


@pytest.fixture(scope="module")
def sums(model: Path) -> dict[str, list[float]]:
    chance = random.Random(4)
    return {
        each.name: [chance.uniform(0, 30) ** 2 for _ in range(256 * (each.dims[2] if len(each.dims) > 2 else 1))]
        for each in GGUFFile.open(model).tensors
        if each.name.startswith("blk.") and len(each.dims) > 1
    }


@needs_ggml
@needs_llama_cpp
@pytest.mark.parametrize("mix", ["Q4_K_M", "IQ4_XS", "IQ2_XXS", "Q4_0"])
def test_the_tensors_are_those_of_llama_cpp(
    model: Path, sums: dict[str, list[float]], tmp_path: Path, mix: str
) -> None:
    means = {name: [float(np.float32(value) / np.float32(3)) for value in values] for name, values in sums.items()}
    theirs = quantized(model, tmp_path / "theirs", MIXES[mix].file_type or 0, imatrix=means)
    assert theirs is not None
    for write in (write_legacy, write_gguf):
        matrix = write(tmp_path / "imatrix", sums)
        quantize(model, tmp_path / "ours", mix, imatrix=matrix, overwrite=True)
        ours, other = GGUFFile.open(tmp_path / "ours"), GGUFFile.open(tmp_path / "theirs")
        assert ours.tensors == other.tensors
        assert (tmp_path / "ours").read_bytes()[ours.data_offset :] == theirs[other.data_offset :]


@pytest.mark.parametrize("write", [write_legacy, write_gguf])
def test_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: type, sums: dict[str, list[float]]) -> None:
    monkeypatch.chdir(tmp_path)  # a long name is cut off
    matrix = ImportanceMatrix.open(write(Path("imatrix"), sums))
    assert set(matrix.entries) == set(sums)
    assert (matrix.dataset, matrix.chunks) == ("text.txt", 7)
    for name, values in sums.items():
        assert matrix.entries[name].checked("", name).tolist() == (np.array(values, "f4") / np.float32(3)).tolist()
    keys = {entry.key.decode(): entry.decode() for entry in matrix.metadata()}
    assert keys == {
        "quantize.imatrix.file": "imatrix",
        "quantize.imatrix.dataset": "text.txt",
        "quantize.imatrix.entries_count": len(sums),
        "quantize.imatrix.chunks_count": 7,
    }


def test_the_model_says_which_matrix_was_used(model: Path, sums: dict[str, list[float]], tmp_path: Path) -> None:
    matrix = ImportanceMatrix.open(write_legacy(tmp_path / ("i" * 150), sums))
    done = write_quantized(plan_quantize(open_parts(model), Wishes.of("F16"), matrix), tmp_path / "out.gguf")
    metadata = GGUFFile.open(done.path).metadata
    assert list(metadata)[-6:] == [
        "general.quantization_version",
        "general.file_type",
        *(f"quantize.imatrix.{key}" for key in ("file", "dataset", "entries_count", "chunks_count")),
    ]
    assert len(metadata["quantize.imatrix.file"]) == 127


def test_an_expert_that_never_ran_counts_as_one(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "imatrix", {"blk.0.x_exps.weight": [8.0] * 4}, calls=0)
    assert ImportanceMatrix.open(path).entries["blk.0.x_exps.weight"].values().tolist() == [1.0] * 4
    path = write_legacy(tmp_path / "legacy", {"x": [8.0] * 4}, calls=0)
    assert ImportanceMatrix.open(path).entries["x"].values().tolist() == [8.0] * 4


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    some = {"blk.0.attn_q.weight": [1.0] * 6, "blk.0.ffn_up.weight": [2.0] * 4}
    for write in (write_legacy, write_gguf):
        whole = write(tmp_path / "whole", some).read_bytes()
        end = len(whole) - (16 if write is write_legacy else 0)
        for length in range(end):
            (tmp_path / "cut").write_bytes(whole[:length])
            if write is write_gguf and length > end - 32:
                break  # the padding of the last tensor, which nobody needs
            with pytest.raises((UsageError, InvalidGGUF), match=re.escape(str(tmp_path / "cut"))):
                ImportanceMatrix.open(tmp_path / "cut")


def test_hostile_numbers(tmp_path: Path) -> None:
    for data in (
        b"",
        struct.pack("<i", -1),
        struct.pack("<i", 1 << 30),
        struct.pack("<ii", 1, -5),
        struct.pack("<ii", 1, 1 << 30),
        struct.pack("<ii1sii", 1, 1, b"x", 1, -1),
        struct.pack("<ii1sii", 1, 1, b"x", 1, (1 << 31) - 1),
    ):
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(UsageError, match="is no importance matrix"):
            ImportanceMatrix.open(tmp_path / "bad")
    for without in ("imatrix.datasets", "imatrix.chunk_count", ".counts", ".in_sum2"):
        with pytest.raises(ModelsmithError):
            ImportanceMatrix.open(write_gguf(tmp_path / "bad", {"x": [1.0] * 4}, without=without))
    with pytest.raises(UnreadableFile):
        ImportanceMatrix.open(tmp_path)


def test_a_matrix_that_does_not_fit_the_model(model: Path, sums: dict[str, list[float]], tmp_path: Path) -> None:
    parts = open_parts(model)
    short = sums | {"blk.0.attn_q.weight": [1.0] * 128}
    with pytest.raises(UsageError, match=r"has 128 values for blk\.0\.attn_q\.weight, which has 256 columns"):
        plan_quantize(parts, Wishes.of("Q8_0"), ImportanceMatrix.open(write_legacy(tmp_path / "i", short)))
    some = {"blk.0.attn_q.weight": sums["blk.0.attn_q.weight"]}
    with pytest.raises(UsageError, match="has no entry for it"):
        plan_quantize(parts, Wishes.of("IQ2_XS"), ImportanceMatrix.open(write_legacy(tmp_path / "i", some)))
    for value in (float("nan"), float("inf"), -1.0):
        bad = ImportanceMatrix.open(write_legacy(tmp_path / "i", sums | {"blk.0.attn_q.weight": [value] * 256}))
        with pytest.raises(UsageError, match="no mean of squares"):
            write_quantized(plan_quantize(parts, Wishes.of("F16"), bad), tmp_path / "out.gguf")
    matrix = ImportanceMatrix.open(write_legacy(tmp_path / "i", sums))
    plan = plan_quantize(parts, Wishes(MIXES["Q4_0"], pure=True), matrix)
    with pytest.raises(Unsupported, match="importance matrix needs ggml"):
        write_quantized(plan, tmp_path / "out.gguf", codec=NumpyCodec())
