"""Shards are judged together, as one model: by any of them, with the tensors of all, and each finding in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from local_stores import uint

from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.arrange.split import plan_split, write_split
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.reader import scan_file
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.verify.verify import verify, verify_scans


def shards(
    folder: Path, name: str = "m", *, max_tensors: int = 8, empty_first: bool = False, **changes: Entry
) -> list[Path]:
    metadata = {key.replace("__", "."): entry for key, entry in changes.items()}
    whole = GGUFFile.open(write_sample(folder / f"whole-{name}.gguf", metadata=metadata))
    planned = plan_split(whole, folder / name, max_tensors=max_tensors, empty_first=empty_first)
    write_split(whole, planned)
    return [shard.path for shard in planned]


@pytest.mark.parametrize("empty_first", [False, True])
def test_any_shard_stands_for_all(tmp_path: Path, empty_first: bool) -> None:
    paths = shards(tmp_path, empty_first=empty_first)
    for path in paths:
        found = verify(path, deep=True)
        assert found.ok, found.faults
        assert found.gguf is not None
        assert len(found.gguf.tensors) == 21
        assert found.size == sum(shard.stat().st_size for shard in paths)
        assert found.to_dict()["shards"] == [shard.name for shard in paths]
    assert verify_scans({path.name: scan_file(path) for path in paths}, "m").ok


def test_what_is_wrong_of_the_whole_is_found(tmp_path: Path) -> None:
    """Blocks and shapes of tensors against keys of the first shard, wherever the tensors are."""
    paths = shards(tmp_path, llama__block_count=uint("llama.block_count", 3))
    assert {fault.code for fault in verify(paths[1]).faults} >= {"missing-block"}
    paths = shards(tmp_path, "w", llama__feed_forward_length=uint("llama.feed_forward_length", 96))
    wrong = [fault for fault in verify(paths[0]).faults if fault.code == "wrong-shape"]
    assert wrong
    for fault in wrong:
        name = fault.message.split('"')[1]
        part = GGUFFile.open(tmp_path / fault.shard)
        assert name in {tensor.name for tensor in part.tensors}
        assert fault.offset == next(tensor.at for tensor in part.tensors if tensor.name == name)
        assert fault.to_dict()["shard"] == fault.shard
    assert len({fault.shard for fault in wrong}) > 1


def test_what_is_wrong_of_one_file_is_found_in_it(tmp_path: Path) -> None:
    paths = shards(tmp_path)
    data = bytearray(paths[1].read_bytes())
    paths[1].write_bytes(data[:-40])
    (fault,) = {fault.code: fault for fault in verify(paths[0], deep=True).faults}.values()
    assert (fault.code, fault.shard) == ("truncated", paths[1].name)
    data[-4:] = b"\xff\xff\xff\x7f"
    paths[1].write_bytes(data)
    (fault,) = verify(paths[2], deep=True).faults
    assert (fault.code, fault.shard) == ("not-a-number", paths[1].name)
    paths[1].write_text("<!doctype html>")
    found = verify(paths[0])
    assert found.gguf is None
    assert [(fault.code, fault.shard) for fault in found.faults] == [("not-a-gguf", paths[1].name)]


def test_shards_that_are_no_set(tmp_path: Path) -> None:
    paths, others = shards(tmp_path), shards(tmp_path, "other", max_tensors=9)
    kept = paths[1].read_bytes()
    paths[1].write_bytes(others[1].read_bytes())
    (fault,) = verify(paths[0]).faults
    assert (fault.code, str(fault.severity)) == ("shard-set", "error")
    assert "fetch all shards again" in fault.hint
    paths[1].write_bytes(paths[2].read_bytes())
    assert "is there twice" in verify(paths[0]).faults[0].message + verify(paths[0]).faults[-1].message
    paths[1].unlink()
    (fault,) = verify(paths[0]).faults
    assert (fault.code, str(fault.severity)) == ("missing-shard", "error")
    assert paths[1].name in fault.message
    paths[1].write_bytes(kept)
    paths[0].rename(tmp_path / "first.gguf")
    (fault,) = verify(tmp_path / "first.gguf").faults
    assert fault.code == "shard-name"
