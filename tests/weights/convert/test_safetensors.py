import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from modelsmith.errors import InvalidCheckpoint, UnreadableFile
from modelsmith.weights.convert.safetensors import MAX_HEADER, SafetensorsFile, all_tensors


def written(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(start: int, end: int, shape: list[int] | None = None, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": [(end - start) // 4] if shape is None else shape, "data_offsets": [start, end]}


def test_reads_what_the_official_library_writes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1, 2], np.float16)}
    save_file(arrays, path, metadata={"format": "pt"})
    file = SafetensorsFile.open(path)
    assert file.metadata == {"format": "pt"}
    assert {name: (each.dtype, each.shape) for name, each in file.tensors.items()} == {
        "b": ("F32", (2, 3)),
        "a": ("F16", (2,)),
    }
    for name, array in arrays.items():
        assert file.tensors[name].place.read() == array.tobytes()
    assert file.tensors["b"].elements == 6


def test_an_empty_tensor_and_a_scalar(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors", {"none": entry(0, 0), "one": entry(0, 4, [])}, bytes(4))
    assert SafetensorsFile.open(path).tensors["one"].elements == 1


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12), 'tensor "b" overlaps tensor "a"'),
        ({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12), '4 bytes before tensor "b" belong to none'),
        ({"a": entry(0, 8)}, bytes(4), "it ends after"),
        ({"a": entry(0, 4)}, bytes(8), "4 bytes at its end belong to no tensor"),
        ({"a": entry(0, 4, [3])}, bytes(4), 'tensor "a" has 4 bytes, and F32 [3] needs 12'),
        ({"a": entry(0, 4, dtype="F3")}, bytes(4), "unknown type 'F3'"),
        ({"a": entry(0, 4, [-1])}, bytes(4), "which is none"),
        ({"a": entry(0, 4, [True])}, bytes(4), "which is none"),
        ({"a": entry(0, 4, [1 << 70, 0])}, bytes(4), "which is none"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, bytes(4), "no two ascending numbers"),
        ({"a": 3}, b"", "is no table"),
        (b"[]", b"", "Safetensors"),
        (b'{"a":' + b"[" * 100_000, b"", "is no JSON"),
        (b'{"a":1,"a":2}', b"", 'names "a" twice'),
        (b'{"\xff":1}', b"", "is no JSON"),
        ({"__metadata__": {"a": 1}}, b"", "is not a table of texts"),
    ],
)
def test_refuses_what_cannot_be_true(tmp_path: Path, header: Any, data: bytes, message: str) -> None:
    with pytest.raises(InvalidCheckpoint) as caught:
        SafetensorsFile.open(written(tmp_path / "m.safetensors", header, data))
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack("<Q", MAX_HEADER + 1) + b"{}", "at most"),
        (struct.pack("<Q", 100) + b"{}", "the file ends after 10"),
        (struct.pack("<Q", 1 << 63) + b"{}", "at most"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04" + bytes(600), "PyTorch"),
        (b"\x80\x02" + bytes(600), "pickle"),
        (b"", "empty"),
        (b"hello, world", "no Safetensors file"),
    ],
)
def test_refuses_what_is_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidCheckpoint) as caught:
        SafetensorsFile.open(path)
    assert message in caught.value.message


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"a": np.ones((2, 2), np.float32)}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidCheckpoint):
            SafetensorsFile.open(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        SafetensorsFile.open(tmp_path / "none.safetensors")
    with pytest.raises(UnreadableFile):
        SafetensorsFile.open(tmp_path)


def test_the_same_tensor_in_two_files(tmp_path: Path) -> None:
    files = [SafetensorsFile.open(written(tmp_path / name, {"a": entry(0, 4)}, bytes(4))) for name in ("1", "2")]
    with pytest.raises(InvalidCheckpoint, match='tensor "a" is in 1 and in 2'):
        all_tensors(files)
    assert set(all_tensors(files[:1])) == {"a"}
