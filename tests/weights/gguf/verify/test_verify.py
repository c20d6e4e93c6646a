"""What verify finds in files that are whole but wrong, and in files that are something else or a piece of something."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hostile_ggufs import sound
from local_stores import flag, needs_real_gguf, real_gguf, small_gguf, tensor, text, uint

from modelsmith.progress import Progress
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.sample import array_entry, write_sample
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType
from modelsmith.weights.gguf.verify.verify import Verification, verify

TOKENS = "tokenizer.ggml.tokens"
TEMPLATE = "tokenizer.chat_template"


def codes(found: Verification) -> set[str]:
    return {fault.code for fault in found.faults}


def sample(folder: Path, **changes: Entry | None) -> Path:
    metadata = {key.replace("__", "."): entry for key, entry in changes.items()}
    return write_sample(folder / "model.gguf", metadata=metadata)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "model.gguf", chat_template="{{ messages[0].content }}")


def test_a_sound_model_has_nothing(model: Path) -> None:
    found = verify(model, deep=True)
    assert found.ok
    assert found.faults == ()
    assert found.to_dict()["tensors"] == 21


@needs_real_gguf
def test_a_real_model_has_nothing() -> None:
    path = real_gguf()
    assert path is not None
    assert verify(path).faults == ()


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"general.architecture": None}, "missing-key", "general.architecture is missing"),
        ({"llama.block_count": None}, "missing-key", "llama.block_count is missing"),
        ({"llama.block_count": uint("llama.block_count", 3)}, "missing-block", "the first is blk.2"),
        ({"llama.block_count": uint("llama.block_count", 1)}, "extra-block", "tensors of blk.1"),
        ({"llama.embedding_length": uint("llama.embedding_length", 65)}, "wrong-shape", "rows of 64"),
        ({"llama.context_length": Entry.of("llama.context_length", 10, 512)}, "wrong-type", "llama.cpp refuses"),
        ({"tokenizer.ggml.model": None}, "missing-key", "nothing says how text is cut"),
        ({TOKENS: None}, "missing-key", "tokens is missing"),
        ({TOKENS: array_entry(TOKENS, 8, ["a", "b"])}, "wrong-shape", "262 rows for 2 tokens"),
        ({"tokenizer.ggml.token_type": array_entry("tokenizer.ggml.token_type", 5, [1])}, "wrong-length", "1 items"),
        ({"tokenizer.ggml.scores": array_entry("tokenizer.ggml.scores", 6, [1.0])}, "wrong-length", "262 tokens"),
        ({"tokenizer.ggml.scores": array_entry("tokenizer.ggml.scores", 5, [1])}, "wrong-type", "FLOAT32"),
        ({"tokenizer.ggml.eos_token_id": uint("tokenizer.ggml.eos_token_id", 262)}, "token-outside", "has 262 tokens"),
        ({"tokenizer.ggml.eot_token_id": text("tokenizer.ggml.eot_token_id", "x")}, "wrong-type", "'x'"),
        ({"tokenizer.ggml.eos_token_id": None}, "no-eos", "no token ends an answer"),
        ({"tokenizer.ggml.merges": None}, "missing-key", "merges is missing"),
        ({"tokenizer.ggml.merges": array_entry("tokenizer.ggml.merges", 8, ["a b", "ab"])}, "broken-merge", "number 1"),
        ({"general.name": Entry(b"general.name", 8, b"\x03\0\0\0\0\0\0\0a\xffb")}, "not-utf-8", "general.name"),
        ({"x": array_entry("x", 8, ["a", "b"]), "": text("", "x")}, "odd-key", "''"),
        ({TEMPLATE: text(TEMPLATE, "{% if %}")}, "broken-template", "does not parse"),
        ({TEMPLATE: text(TEMPLATE, "é{{ ''.__class__ }}")}, "unsafe-template", ".__class__"),
        ({TEMPLATE: text(TEMPLATE, "{% for a in range(99999999) %}{% endfor %}")}, "unsafe-template", "range("),
        ({TEMPLATE: text(TEMPLATE, "{{ raise_exception('no') }}")}, "failing-template", "on one message of a user"),
        ({TEMPLATE: uint(TEMPLATE, 1)}, "wrong-type", "is no text"),
    ],
)
def test_metadata_that_is_wrong(tmp_path: Path, changes: dict[str, Entry | None], code: str, words: str) -> None:
    path = write_sample(tmp_path / "model.gguf", metadata=changes)
    found = verify(path)
    fault = next(fault for fault in found.faults if fault.code == code)
    assert words in fault.message
    assert fault.hint
    assert not found.ok
    GGUFFile.open(path)  # none of it keeps commands from opening the file


def test_a_missing_bos_matters_where_it_is_added(tmp_path: Path) -> None:
    key = "tokenizer.ggml.add_bos_token"
    changes: dict[str, Entry | None] = {"tokenizer.ggml.bos_token_id": None}
    assert verify(write_sample(tmp_path / "a.gguf", metadata=changes)).ok
    assert codes(verify(write_sample(tmp_path / "b.gguf", metadata=changes | {key: flag(key, True)}))) == {"no-bos"}


def test_places_are_bytes_of_the_file(tmp_path: Path) -> None:
    name = Entry(b"general.name", 8, b"\x03\0\0\0\0\0\0\0a\xffb")
    merges = array_entry("tokenizer.ggml.merges", 8, ["a b", "xyz"])
    template = text(TEMPLATE, "é{{ ''.__class__ }}")
    path = write_sample(
        tmp_path / "x.gguf", metadata={"general.name": name, "tokenizer.ggml.merges": merges, TEMPLATE: template}
    )
    data, places = path.read_bytes(), {fault.code: fault.offset or 0 for fault in verify(path).faults}
    assert data[places["not-utf-8"]] == 0xFF
    assert data[places["unsafe-template"] :].startswith(b".__class__")
    assert data[places["broken-merge"] :].startswith(struct.pack("<Q", 3) + b"xyz")


def test_texts_of_any_length_are_read_as_utf_8(tmp_path: Path) -> None:
    llama = text("general.architecture", "x")
    texts = ["é" * count for count in (0, 1, 63, 64, 100, 127, 128, 300)] + ["é", "", "a" * 200, "é"]
    assert verify(small_gguf(tmp_path / "x.gguf", [llama, array_entry("a", 8, texts)])).ok
    for wrong in (b"\xa9", b"a" * 150 + b"\xff", b"\xc3"):
        for tail in (b"", b"x"):
            data = b"".join(struct.pack("<Q", len(each)) + each for each in (b"y" * 140, wrong, tail))
            entry = Entry(b"a", ValueType.ARRAY, data, ValueType.STRING, 3)
            path = small_gguf(tmp_path / "x.gguf", [llama, entry])
            (fault,) = verify(path).faults
            assert fault.code == "not-utf-8"
            assert path.read_bytes()[fault.offset or 0] >= 0x80


def test_many_findings_come_at_once(tmp_path: Path) -> None:
    changes = {"llama.block_count": None, TEMPLATE: text(TEMPLATE, "{% if"), "tokenizer.ggml.eos_token_id": None}
    path = write_sample(tmp_path / "x.gguf", metadata=changes)
    path.write_bytes(path.read_bytes()[:-5000])
    assert codes(verify(path)) == {"missing-key", "broken-template", "no-eos", "truncated"}


def test_gaps_and_other_orders_are_found(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", [text("general.architecture", "x")], [tensor("a", (8,)), tensor("b", (8,))])
    data = bytearray(path.read_bytes()) + bytes(64)
    position = data.index(struct.pack("<IQ", 0, 32))
    data[position + 4 : position + 12] = struct.pack("<Q", 64)
    path.write_bytes(data)
    found = next(fault for fault in verify(path).faults if fault.code == "out-of-order")
    assert found.expected == "offset 32"


def test_shapes_with_a_zero_are_found(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", [text("general.architecture", "x")], [tensor("a", (8, 0))])
    assert codes(verify(path)) == {"empty-tensor"}


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


@pytest.mark.parametrize(
    ("data", "what", "way_out"),
    [
        (b"<!DOCTYPE html><html>", "a web page", "/resolve/"),
        (LFS, "a git-lfs pointer", "git lfs pull"),
        (b"\x1f\x8b\x08" + bytes(99), "gzip", "unpack"),
        (b"PK\x03\x04" + bytes(99), "a zip archive", "unpack"),
        (struct.pack("<Q", 2) + b"{}" + bytes(9), "a Safetensors file", "import"),
        (b"", "empty", "fetch"),
        (bytes(5000), "zeros", "unfinished"),
    ],
)
def test_other_files_are_told(tmp_path: Path, data: bytes, what: str, way_out: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    (fault,) = verify(path, deep=True).faults
    assert fault.code == "not-a-gguf"
    assert what in fault.message
    assert way_out in fault.hint


def test_a_partial_download_says_how_much_is_missing(model: Path) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[:-1000])
    (fault,) = verify(model).faults
    assert (fault.code, fault.offset, fault.expected) == ("truncated", len(whole) - 1000, "1000 more bytes")
    assert "continue it" in fault.hint
    part = model.rename(model.with_suffix(".gguf.crdownload"))
    assert "not finished" in verify(part).faults[0].message


@pytest.mark.parametrize(
    "names",
    [
        ("m.gguf.part1of3", "m.gguf.part2of3", "m.gguf.part3of3"),
        ("m-split-a", "m-split-b", "m-split-c"),
        ("m.gguf.00", "m.gguf.01", "m.gguf.02"),
        ("m_0000", "m_0001", "m_0002"),
        ("m.gguf.aa", "m.gguf.ab", "m.gguf.ac"),
        ("m.part-1.gguf", "m.part-2.gguf", "m.part-10.gguf"),
    ],
)
def test_parts_cut_by_bytes_are_joined_with_cat(model: Path, names: tuple[str, ...]) -> None:
    whole = model.read_bytes()
    third = len(whole) // 3 + 1
    for number, name in enumerate(names):
        model.with_name(name).write_bytes(whole[number * third : (number + 1) * third])
    model.unlink()
    for name in names:
        fault = verify(model.with_name(name)).faults[0]
        assert fault.code == "byte-split"
        assert f"cat {' '.join(names)} > m.gguf" in fault.hint


def test_a_part_alone_is_told(model: Path) -> None:
    part = model.with_name("model_part_0000")
    part.write_bytes(model.read_bytes()[:100_000])
    fault = verify(part).faults[0]
    assert (fault.code, "fetch the other pieces" in fault.hint) == ("byte-split", True)


def shard(path: Path, number: int, count: int) -> Path:
    entries = [text("general.architecture", "llama")] if number == 0 else []
    entries += [Entry.of("split.no", ValueType.UINT16, number), Entry.of("split.count", ValueType.UINT16, count)]
    return small_gguf(path, entries, [tensor(f"blk.{number}.x", (32,))])


def test_shards_are_no_parts(tmp_path: Path) -> None:
    first = shard(tmp_path / "m-00001-of-00002.gguf", 0, 2)
    (fault,) = verify(first).faults
    assert (fault.code, "never with cat" in fault.hint) == ("missing-shard", True)
    second = shard(tmp_path / "m-00002-of-00002.gguf", 1, 2)
    assert verify(first).ok
    assert verify(second).ok
    assert codes(verify(shard(tmp_path / "x.gguf", 0, 2))) == {"shard-name"}
    assert codes(verify(shard(tmp_path / "y-00003-of-00004.gguf", 0, 2))) == {"shard-name"}
    assert codes(verify(small_gguf(tmp_path / "z-00001-of-00002.gguf", [text("general.architecture", "x")]))) == {
        "shard-keys"
    }
    joined = tmp_path / "m.gguf"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    fault = next(fault for fault in verify(joined).faults if fault.code == "joined-shards")
    assert fault.offset == first.stat().st_size


def test_bytes_behind_the_end_are_found(model: Path) -> None:
    size = model.stat().st_size
    model.write_bytes(model.read_bytes() + b"x" * 100)
    (fault,) = verify(model).faults
    assert (fault.code, fault.offset) == ("trailing-data", size)


def _block(name: str) -> tuple[bytes, bytes]:
    """Return a block of a type that holds numbers, and the same with a scale that is none."""
    type_ = next(each for each in TENSOR_TYPES.values() if each.name == name)
    good, bad = bytearray(b"\x11" * type_.width), bytearray(b"\x11" * type_.width)
    match name:
        case "F32":
            bad[:] = struct.pack("<f", float("nan"))
        case "F64":
            bad[:] = struct.pack("<d", float("inf"))
        case "BF16":
            bad[:] = b"\x80\xff"
        case "MXFP4":
            bad[0] = 0xFF
        case "Q8_K":
            bad[:4] = struct.pack("<f", float("inf"))
        case "IQ1_M":
            bad[48:56] = b"\x11\x11\x11\x11\x11\xc1\x11\x71"
        case "Q2_K" | "Q3_K" | "Q6_K" | "TQ1_0" | "TQ2_0":
            bad[-2:] = b"\x00\x7c"
        case _:
            bad[:2] = b"\x01\xfe"
    return bytes(good), bytes(bad)


CHECKED = [each.name for each in TENSOR_TYPES.values() if not each.name.startswith("I") or each.name.startswith("IQ")]


@pytest.mark.parametrize("name", [name for name in CHECKED if name != "NVFP4"])
def test_numbers_that_are_none_are_found(tmp_path: Path, name: str) -> None:
    type_ = next(each for each in TENSOR_TYPES.values() if each.name == name)
    good, bad = _block(name)
    tensors = []
    for label, blocks in (("good", good * 4), ("bad", good * 2 + bad + good)):
        tensors.append((Tensor(label, (type_.block * 2, 2), type_, 0, len(blocks)), blocks))
    path = small_gguf(tmp_path / "x.gguf", [text("general.architecture", "x")], tensors)
    assert verify(path).ok
    (fault,) = verify(path, deep=True).faults
    gguf = GGUFFile.open(path)
    assert fault.code == "not-a-number"
    assert '"bad"' in fault.message
    assert fault.offset == gguf.data_offset + gguf.tensors[1].offset + 2 * type_.width


def test_the_scan_goes_on_behind_its_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelsmith.weights.gguf.verify.numbers._CHUNK", 64)
    data = struct.pack("<200f", *([1.0] * 150), float("inf"), *([1.0] * 48), float("nan"))
    path = small_gguf(
        tmp_path / "x.gguf", [text("general.architecture", "x")], [(Tensor("t", (200,), TENSOR_TYPES[0], 0, 800), data)]
    )
    steps: list[Progress] = []
    (fault,) = verify(path, deep=True, progress=steps.append).faults
    assert "has 2 numbers" in fault.message
    assert fault.offset == GGUFFile.open(path).data_offset + 600
    assert steps[-1].completed == steps[-1].total == 800


def test_big_endian_numbers_are_read_in_their_order(tmp_path: Path) -> None:
    data, boundaries = sound(">")
    broken = bytearray(data)
    broken[boundaries[-2] : boundaries[-2] + 4] = struct.pack(">f", float("inf"))
    broken[boundaries[-1] : boundaries[-1] + 2] = struct.pack(">e", float("nan"))
    (tmp_path / "x.gguf").write_bytes(broken)
    found = [fault.offset for fault in verify(tmp_path / "x.gguf", deep=True).faults if fault.code == "not-a-number"]
    assert found == [boundaries[-2], boundaries[-1]]


def test_tensors_of_zeros_are_found(tmp_path: Path) -> None:
    zeros = (Tensor("w", (64, 32), TENSOR_TYPES[0], 0, 8192), bytes(8192))
    bias = (Tensor("b", (4096,), TENSOR_TYPES[0], 0, 16384), bytes(16384))
    path = small_gguf(tmp_path / "x.gguf", [text("general.architecture", "x")], [bias, zeros, tensor("c", (8,))])
    (fault,) = verify(path, deep=True).faults
    assert fault.code == "zeros"
    assert "1 of 3 tensors" in fault.message
