"""Splitting and merging: as llama-gguf-split does, to the byte, and back."""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyllama_oracle import loads, needs_llama_cpp
from local_stores import needs_real_gguf, real_gguf, small_gguf, tensor, text, uint

from modelsmith.errors import InvalidGGUF, ModelsmithError, UsageError
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.blobs.merged import MergedGGUF
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.arrange import split
from modelsmith.weights.gguf.arrange.merge import join_raw, merge, raw_pieces
from modelsmith.weights.gguf.arrange.shards import open_shards
from modelsmith.weights.gguf.arrange.split import parse_size, plan_split, write_split
from modelsmith.weights.gguf.edit.edit import edit
from modelsmith.weights.gguf.edit.inplace import write_edit
from modelsmith.weights.gguf.edit.inplace_plan import plan_edit
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.types import ValueType

PROGRAM = shutil.which("llama-gguf-split")


def shards_of(path: Path, prefix: Path, **limits: Any) -> list[Path]:
    gguf = GGUFFile.open(path)
    shards = plan_split(gguf, prefix, **limits)
    digests = write_split(gguf, shards)
    assert [FileBlob(shard.path).digest() for shard in shards] == list(digests)
    assert [shard.path.stat().st_size for shard in shards] == [shard.size for shard in shards]
    return [shard.path for shard in shards]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "m.gguf", chat_template="{{ a }}")


@pytest.mark.parametrize(
    "limits",
    [
        {"max_tensors": 1},
        {"max_tensors": 8},
        {"max_tensors": 1000},
        {"max_size": 33_536},
        {"max_size": 50_000},
        {"max_tensors": 8, "empty_first": True},
    ],
)
def test_what_is_split_is_merged_again(tmp_path: Path, model: Path, limits: dict[str, Any]) -> None:
    paths = shards_of(model, tmp_path / "s", **limits)
    count = len(paths)
    assert [path.name for path in paths] == [f"s-{number + 1:05}-of-{count:05}.gguf" for number in range(count)]
    for number, path in enumerate(paths):
        gguf = GGUFFile.open(path)
        assert gguf.metadata["split.no"] == number
        assert gguf.metadata["split.count"] == count
        assert gguf.metadata["split.tensors.count"] == len(GGUFFile.open(model).tensors)
        assert gguf.metadata.type_of("split.no") == gguf.metadata.type_of("split.count") == ValueType.UINT16
        assert gguf.metadata.type_of("split.tensors.count") == ValueType.INT32
        assert len(gguf.metadata) == 3 or number == 0
    if count == 1:
        return
    for given in (paths[:1], paths[-1:], paths[::-1]):
        digest = merge(given, tmp_path / "merged.gguf", overwrite=True)
        assert (tmp_path / "merged.gguf").read_bytes() == model.read_bytes()
        assert digest == FileBlob(model).digest()
    blob = MergedGGUF(paths[:1])
    assert b"".join(blob.chunks()) == model.read_bytes()
    assert blob.gguf.tensors == GGUFFile.open(model).tensors


def test_a_size_bounds_the_tensors(tmp_path: Path, model: Path) -> None:
    for shard in plan_split(GGUFFile.open(model), tmp_path / "s", max_size=40_000):
        padded = sum(each.nbytes + -each.nbytes % 32 for each in shard.tensors)
        assert padded <= 40_000 or len(shard.tensors) == 1


def test_other_alignments(tmp_path: Path) -> None:
    entries = [text("general.architecture", "x"), uint("general.alignment", 128)]
    path = small_gguf(tmp_path / "x.gguf", entries, [tensor(name, (7,)) for name in "abcde"], 128)
    shards = shards_of(path, tmp_path / "s", max_tensors=2)
    assert [GGUFFile.open(shard).alignment for shard in shards] == [128, 32, 32]
    merge(shards[:1], tmp_path / "merged.gguf")
    assert (tmp_path / "merged.gguf").read_bytes() == path.read_bytes()


def test_room_for_edits_is_left_out(tmp_path: Path, model: Path) -> None:
    before = model.read_bytes()
    for template in ("x" * 3000, "{{ a }}"):
        gguf = GGUFFile.open(model)
        write_edit(plan_edit(gguf, edit(gguf, {"tokenizer.chat_template": template}).metadata))
    shards = shards_of(model, tmp_path / "s", max_tensors=8)
    merge(shards[:1], tmp_path / "merged.gguf")
    assert (tmp_path / "merged.gguf").read_bytes() == before


@pytest.mark.parametrize(("given", "size"), [("4G", 4 * 10**9), ("500M", 5 * 10**8)])
def test_sizes(given: str, size: int) -> None:
    assert parse_size(given) == size


@pytest.mark.parametrize("given", ["", "4", "0G", "4.5G", "-1M", "4GB", "4g"])
def test_no_sizes(given: str) -> None:
    with pytest.raises(UsageError, match="no size of a shard"):
        parse_size(given)


def test_what_cannot_be_split(tmp_path: Path, model: Path) -> None:
    gguf = GGUFFile.open(model)
    for limits, reason in (
        ({}, "how large"),
        ({"max_size": 1, "max_tensors": 1}, "not both"),
        ({"max_tensors": 0}, "room for something"),
    ):
        with pytest.raises(UsageError, match=reason):
            plan_split(gguf, tmp_path / "s", **limits)
    with pytest.raises(UsageError, match="is a folder"):
        plan_split(gguf, tmp_path, max_tensors=1)
    empty = small_gguf(tmp_path / "vocabulary.gguf", [text("general.architecture", "llama")], [])
    for limits in ({"max_tensors": 1}, {"max_size": 10**6}, {"max_tensors": 1, "empty_first": True}):
        with pytest.raises(UsageError, match="has no tensors: there is nothing to split"):
            plan_split(GGUFFile.open(empty), tmp_path / "s", **limits)
    first = gguf.tensors[0]
    for limits in ({"max_size": first.nbytes - 1}, {"max_size": 1, "empty_first": True}):
        with pytest.raises(
            UsageError, match=f"the first tensor, {first.name}, has .* more than .* would have no tensor"
        ):
            plan_split(gguf, tmp_path / "s", **limits)
    shard = shards_of(model, tmp_path / "s", max_tensors=8)[0]
    with pytest.raises(UsageError, match="is a shard already"):
        plan_split(GGUFFile.open(shard), tmp_path / "t", max_tensors=1)
    shard.write_bytes(b"another")
    with pytest.raises(UsageError, match="exists already"):
        shards_of(model, tmp_path / "s", max_tensors=8)


def test_a_full_disk_leaves_no_shard(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, calls = split.copy_segments, []

    def full(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*arguments)

    monkeypatch.setattr(split, "copy_segments", full)
    with pytest.raises(ModelsmithError, match="No space"):
        shards_of(model, tmp_path / "s", max_tensors=5)
    assert [path.name for path in tmp_path.iterdir()] == ["m.gguf"]


def test_shards_that_are_not_one_model(tmp_path: Path, model: Path) -> None:
    paths = shards_of(model, tmp_path / "s", max_tensors=8)
    target = tmp_path / "merged.gguf"

    def refused(reason: str, *given: Path) -> None:
        with pytest.raises(UsageError, match=reason):
            merge(given, target)
        assert not target.exists()

    refused("whole model", model)
    refused("no shard", model, paths[0])
    refused("no shard", paths[0], model, paths[2])
    refused("is there twice", paths[0], paths[1], paths[1])
    refused("shards 2 of 3 are missing", paths[0], paths[2])
    two = shards_of(model, tmp_path / "two", max_tensors=15)
    refused("of a set of 2 shards", paths[0], two[1], paths[2])
    other = write_sample(tmp_path / "o.gguf", architecture="qwen2")
    foreign = shards_of(other, tmp_path / "f", max_tensors=10)
    refused("does not belong", paths[0], foreign[1], paths[2])
    paths[1].rename(tmp_path / "away")
    refused(f"1 of 3 shards are missing in {tmp_path}: {paths[1].name}", paths[0])
    shutil.copy(paths[2], paths[1])
    refused("is there twice", paths[0])
    renamed = paths[0].rename(tmp_path / "model.gguf")
    refused("does not say where the others are", renamed)


def test_shards_of_another_split_of_the_same_model(tmp_path: Path, model: Path) -> None:
    one = shards_of(model, tmp_path / "s", max_tensors=8)
    other = shards_of(model, tmp_path / "t", max_tensors=9)
    assert len(one) == len(other)
    with pytest.raises(UsageError, match=r"the tensor .* is in|the shards hold"):
        merge([one[0], other[1], one[2]], tmp_path / "merged.gguf")


def test_keys_of_other_writers(tmp_path: Path) -> None:
    """Older shards have the numbers in other types, and some have no count of tensors."""
    paths = []
    for number in range(2):
        entries = [Entry.of("split.no", ValueType.INT32, number), uint("split.count", 2)]
        entries += [text("general.architecture", "x")] if number == 0 else []
        paths.append(small_gguf(tmp_path / f"x-{number + 1:05}-of-00002.gguf", entries, [tensor("ab"[number], (7,))]))
    merge(paths[:1], tmp_path / "x.gguf")
    assert dict(GGUFFile.open(tmp_path / "x.gguf").metadata) == {"general.architecture": "x"}
    assert [each.path for each in open_shards(paths[::-1])] == paths


def cut(path: Path, names: list[str]) -> list[Path]:
    data, pieces = path.read_bytes(), [path.with_name(name) for name in names]
    step = len(data) // len(names) + 1
    for number, piece in enumerate(pieces):
        piece.write_bytes(data[number * step : (number + 1) * step])
    return pieces


@pytest.mark.parametrize(
    "names",
    [
        [f"m.gguf.part{number}of11" for number in range(1, 12)],
        ["m.gguf-split-a", "m.gguf-split-b", "m.gguf-split-c"],
        ["m.gguf.aa", "m.gguf.ab"],
        ["m.gguf.001", "m.gguf.002"],
        ["m.gguf.part0", "m.gguf.part1"],
        ["m.gguf-part-00", "m.gguf-part-01"],
    ],
)
def test_raw_pieces_are_joined(tmp_path: Path, model: Path, names: list[str]) -> None:
    pieces = cut(model, names)
    (tmp_path / "m.gguf.undo").write_bytes(b"")
    assert raw_pieces(pieces[-1]) == pieces
    join_raw(pieces[:1], tmp_path / "joined.gguf")
    assert (tmp_path / "joined.gguf").read_bytes() == model.read_bytes()
    pieces[-1].unlink()
    with pytest.raises(ModelsmithError):
        join_raw(pieces[:1], tmp_path / "again.gguf")
    assert not (tmp_path / "again.gguf").exists()


def test_pieces_that_do_not_fit(tmp_path: Path, model: Path) -> None:
    pieces = cut(model, ["m.gguf.part1of3", "m.gguf.part2of3", "m.gguf.part3of3"])
    first = shutil.copy(pieces[0], tmp_path / "x")
    for given, reason in (
        ([pieces[0], pieces[1]], "by their names there are 3"),
        ([pieces[1], pieces[0], pieces[2]], "does not begin a GGUF"),
        ([first, pieces[1]], "no whole GGUF"),
        ([first, pieces[1], pieces[2], pieces[2]], "bytes more than the model"),
    ):
        with pytest.raises((UsageError, InvalidGGUF), match=reason):
            join_raw(given, tmp_path / "joined.gguf")


def test_a_whole_model_is_no_piece(tmp_path: Path, model: Path) -> None:
    shutil.copy(model, tmp_path / "m.gguf.7")
    shutil.copy(model, tmp_path / "m.gguf.8")
    assert raw_pieces(tmp_path / "m.gguf.7") == [tmp_path / "m.gguf.7"]
    assert raw_pieces(model) == [model]


@needs_llama_cpp
def test_llama_cpp_loads_shards_and_merged(tmp_path: Path, model: Path) -> None:
    paths = shards_of(model, tmp_path / "s", max_tensors=8)
    assert loads(paths[0])
    merge(paths[:1], tmp_path / "merged.gguf")
    assert loads(tmp_path / "merged.gguf")


@pytest.mark.skipif(PROGRAM is None, reason="llama-gguf-split is not on the PATH")
@needs_real_gguf
@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        (["--split-max-size", "45M"], {"max_size": 45 * 10**6}),
        (["--split-max-tensors", "100", "--no-tensor-first-split"], {"max_tensors": 100, "empty_first": True}),
    ],
)
def test_llama_gguf_split_writes_the_same(tmp_path: Path, arguments: list[str], limits: dict[str, Any]) -> None:
    model = real_gguf()
    assert PROGRAM
    assert model
    subprocess.run([PROGRAM, "--split", *arguments, model, "theirs"], check=True, capture_output=True, cwd=tmp_path)
    ours = shards_of(model, tmp_path / "ours", **limits)
    for path in ours:
        assert path.read_bytes() == path.with_name(path.name.replace("ours", "theirs")).read_bytes()
    subprocess.run([PROGRAM, "--merge", ours[0], "theirs.gguf"], check=True, capture_output=True, cwd=tmp_path)
    first, second = GGUFFile.open(tmp_path / "theirs.gguf"), GGUFFile.open(model)
    assert [(each.name, each.offset) for each in first.tensors] == [(each.name, each.offset) for each in second.tensors]
