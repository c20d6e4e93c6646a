from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_stores import flag, small_gguf, tensor, text, uint

from modelsmith.errors import InvalidGGUF, ModelsmithError, UnreadableFile
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry, GGUFArray
from modelsmith.weights.gguf.sample import array_entry, write_sample
from modelsmith.weights.gguf.types import ValueType

LLAMA = text("general.architecture", "llama")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("gguf") / "sample.gguf", chat_template="{{ messages }}")


def test_reads_what_the_file_says(sample: Path) -> None:
    gguf = GGUFFile.open(sample)
    assert gguf.path == sample
    assert gguf.size == sample.stat().st_size
    assert (gguf.version, gguf.alignment, gguf.data_offset % 32) == (3, 32, 0)
    assert (gguf.architecture, gguf.file_type, gguf.kind) == ("llama", "F16", "model")
    assert gguf.chat_template == "{{ messages }}"
    assert gguf.special_tokens["bos"] == (256, "<｜begin▁of▁sentence｜>")
    assert gguf.special_tokens["eos"] == (257, "<｜end▁of▁sentence｜>")
    assert gguf.metadata["llama.block_count"] == 2
    assert gguf.metadata["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert gguf.parameter_count == sum(tensor.elements for tensor in gguf.tensors)
    embedding = gguf.tensors[0]
    assert (embedding.name, embedding.dims, embedding.type.name) == ("token_embd.weight", (64, 262), "F16")
    assert embedding.nbytes == 64 * 262 * 2
    assert len(gguf.data_of(embedding).read()) == embedding.nbytes


def test_a_file_can_be_opened_in_a_with_statement(sample: Path) -> None:
    with GGUFFile.open(str(sample)) as gguf:
        assert gguf.architecture == "llama"


def test_arrays_are_read_when_they_are_asked_for(sample: Path) -> None:
    tokens = GGUFFile.open(sample).metadata["tokenizer.ggml.tokens"]
    assert len(tokens) == 262
    assert tokens.item_type is ValueType.STRING
    assert tokens[65] == "A"
    assert tokens[-1] == "</think>"
    assert tokens[1:3] == [tokens[1], tokens[2]]
    assert list(tokens)[256] == "<｜begin▁of▁sentence｜>"
    with pytest.raises(IndexError):
        tokens[262]
    kinds = GGUFFile.open(sample).metadata["tokenizer.ggml.token_type"]
    assert (kinds[0], kinds[-1], list(kinds)[256]) == (1, 4, 3)
    assert repr(kinds) == "<array of 262 INT32>"


def test_every_type_of_value(tmp_path: Path) -> None:
    values: dict[ValueType, Any] = {
        ValueType.UINT8: 200,
        ValueType.INT8: -5,
        ValueType.UINT16: 65535,
        ValueType.INT16: -3,
        ValueType.UINT32: 4_000_000_000,
        ValueType.INT32: -7,
        ValueType.FLOAT32: 1.5,
        ValueType.BOOL: True,
        ValueType.STRING: "é\n<｜>",
        ValueType.UINT64: 1 << 63,
        ValueType.INT64: -(1 << 63),
        ValueType.FLOAT64: 1e300,
    }
    scalars = [Entry.of(f"s.{kind.name}", kind, value) for kind, value in values.items()]
    arrays = [array_entry(f"a.{kind.name}", kind, [value, value]) for kind, value in values.items()]
    metadata = GGUFFile.open(small_gguf(tmp_path / "x.gguf", [LLAMA, *scalars, *arrays])).metadata
    for kind, value in values.items():
        assert metadata[f"s.{kind.name}"] == value
        assert metadata.type_of(f"s.{kind.name}") is kind
        assert list(metadata[f"a.{kind.name}"]) == [value, value]
        assert metadata[f"a.{kind.name}"][1] == value
    assert list(metadata)[:2] == ["general.architecture", "s.UINT8"]
    assert "s.BOOL" in metadata
    assert metadata.get("nothing") is None


def test_a_value_of_another_type_counts_as_absent(tmp_path: Path) -> None:
    entries = [LLAMA, Entry.of("general.file_type", ValueType.UINT64, 1), uint("tokenizer.chat_template", 1)]
    gguf = GGUFFile.open(small_gguf(tmp_path / "x.gguf", entries))
    assert gguf.file_type == "unknown"
    assert gguf.chat_template is None


@pytest.mark.parametrize(
    ("number", "name"), [(0, "unknown"), (1, "F16"), (3, "Q4_1"), (15, "Q4_K_M"), (33, "unknown"), (1025, "unknown")]
)
def test_file_types_have_ollamas_names(tmp_path: Path, number: int, name: str) -> None:
    assert GGUFFile.open(small_gguf(tmp_path / "x.gguf", [uint("general.file_type", number)])).file_type == name


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([], "model"),
        ([text("general.type", "adapter")], "adapter"),
        ([text("general.type", "mmproj")], "projector"),
        ([text("general.type", "projector")], "projector"),
        ([uint("llama.vision.block_count", 2)], "projector"),
        ([uint("llama.vision.block_count", 2), uint("llama.block_count", 2)], "model"),
        ([flag("llama.has_vision_encoder", True)], "model"),
    ],
)
def test_kinds_of_files(tmp_path: Path, entries: list[Entry], kind: str) -> None:
    assert GGUFFile.open(small_gguf(tmp_path / "x.gguf", [LLAMA, *entries])).kind == kind


@pytest.mark.parametrize("encoder", ["has_vision_encoder", "has_audio_encoder"])
def test_clip_with_an_encoder_is_a_projector(tmp_path: Path, encoder: str) -> None:
    entries = [text("general.architecture", "clip"), flag(f"clip.{encoder}", True)]
    assert GGUFFile.open(small_gguf(tmp_path / "x.gguf", entries)).kind == "projector"
    assert GGUFFile.open(small_gguf(tmp_path / "y.gguf", entries[:1])).kind == "model"


@pytest.mark.parametrize("name", ["v.patch", "mm.0", "a.conv", "mtp.x", "s.x"])
def test_embedded_parts_are_seen(tmp_path: Path, name: str) -> None:
    assert GGUFFile.open(small_gguf(tmp_path / "x.gguf", [LLAMA], [tensor(name, (32,))])).has_embedded_parts
    assert not GGUFFile.open(small_gguf(tmp_path / "y.gguf", [LLAMA], [tensor("x" + name, (32,))])).has_embedded_parts


def test_version_2_is_read(sample: Path, tmp_path: Path) -> None:
    data = bytearray(sample.read_bytes())
    data[4] = 2
    (tmp_path / "v2.gguf").write_bytes(data)
    assert GGUFFile.open(tmp_path / "v2.gguf").version == 2


@pytest.mark.parametrize("order", ["LITTLE", "BIG"])
def test_files_of_the_reference_writer_are_read(tmp_path: Path, order: str) -> None:
    gguf_py = pytest.importorskip("gguf")
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "x.gguf"
    writer = gguf_py.GGUFWriter(path, "llama", endianess=getattr(gguf_py.GGUFEndian, order))
    writer.add_uint32("a", 7)
    writer.add_float64("b", 0.1)
    writer.add_int16("c", -2)
    writer.add_array("d", ["x", "é", ""])
    writer.add_array("e", [1, -2, 3])
    writer.add_tensor("t", numpy.arange(24, dtype=numpy.float32).reshape(2, 12))
    writer.add_tensor("u", numpy.ones(5, dtype=numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = GGUFFile.open(path, any_order=True)
    values = found.metadata
    assert found.is_big_endian is (order == "BIG")
    assert (values["a"], values["b"], values["c"], list(values["d"]), list(values["e"])) == (
        7,
        0.1,
        -2,
        ["x", "é", ""],
        [1, -2, 3],
    )
    assert [(each.name, each.dims, each.type.name) for each in found.tensors] == [
        ("t", (12, 2), "F32"),
        ("u", (5,), "F16"),
    ]
    assert struct.unpack(f"{found.order}24f", found.data_of(found.tensors[0]).read()) == tuple(range(24))


SAFETENSORS = struct.pack("<Q", 20) + b'{"__metadata__": {}}' + bytes(40)


@pytest.mark.parametrize(
    ("data", "what", "way_out"),
    [
        (b"", "is empty", "fetch"),
        (b"\n <!DOCTYPE html><html>", "a web page", "/resolve/"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a git-lfs pointer", "git lfs pull"),
        (b"\x1f\x8b\x08" + bytes(30), "gzip", "unpack"),
        (b"PK\x03\x04" + bytes(30), "a zip archive", "unpack"),
        (SAFETENSORS, "a Safetensors file", "import"),
        (b'{"error": "not found"}', "JSON text", "server's error message"),
        (b"tjgg" + bytes(40), "a GGJT file", "older than GGUF"),
        (bytes(100), "filled with zeros", "unfinished"),
        (b"GGUF\x03\0\0", "ends after 7 bytes", "fetch"),
        (b"GGUF\0\0\0\x03" + bytes(16), "big-endian", "little-endian"),
        (b"GGUF\x01\0\0\0" + bytes(16), "version 1", "convert"),
        (b"GGUF\x09\0\0\0" + bytes(16), "version 9", "newer"),
        (b"hello, world, this is a text", "not in GGUF format", "name a .gguf file"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, data: bytes, what: str, way_out: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(InvalidGGUF) as error:
        GGUFFile.open(path)
    assert what in error.value.message
    assert str(path) in error.value.message
    assert way_out in error.value.hint


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "a directory"), (tmp_path / "pipe", "a pipe"), (Path("/dev/zero"), "a device")):
        with pytest.raises(UnreadableFile, match=what):
            GGUFFile.open(path)
    with pytest.raises(UnreadableFile, match="does not exist"):
        GGUFFile.open(tmp_path / "nothing.gguf")


def damaged(path: Path, *parts: bytes, tensors: int = 0, keys: int = 1) -> Path:
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, tensors, keys) + b"".join(parts))
    return path


def string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


HUGE = struct.pack("<Q", 1 << 62)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([HUGE], "key of 4611686018427387904 bytes"),
        ([string(b"k"), struct.pack("<I", 8), HUGE], "string length"),
        ([string(b"k"), struct.pack("<I", 13)], "unknown value type 13"),
        ([string(b"k"), struct.pack("<IIQ", 9, 4, 1 << 62)], "array size"),
        ([string(b"k"), struct.pack("<IIQ", 9, 9, 1), bytes(100)], "array of arrays"),
        ([string(b"k"), struct.pack("<IIQ", 9, 77, 1), bytes(100)], "unknown type 77"),
        ([string(b"k"), struct.pack("<IIQ", 9, 8, 1), HUGE], "string length"),
        ([string(b"k"), struct.pack("<IIQ", 9, 8, 1 << 25)], "does not end within"),
        ([string(b"k"), struct.pack("<IIQ", 9, 4, 1 << 25)], "does not end within"),
        ([string(b"k"), struct.pack("<I", 8), struct.pack("<Q", 500)], "does not end within"),
    ],
)
def test_lying_metadata_is_refused(tmp_path: Path, parts: list[bytes], reason: str) -> None:
    with pytest.raises(InvalidGGUF, match=reason):
        GGUFFile.open(damaged(tmp_path / "x.gguf", *parts))


def record(name: bytes, dims: tuple[int, ...], kind: int, offset: int) -> bytes:
    return string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([record(b"t", (32,), 0, 0)], "needs the file to have"),
        ([record(b"t", (32,), 0, 1 << 62)], "needs the file to have"),
        ([record(b"t", (32,), 0, (1 << 64) - 32)], "overflows"),
        ([record(b"t", (1 << 40, 1 << 40), 0, 0)], "overflows"),
        ([record(b"t", ((1 << 64) - 1,) * 4, 0, 0)], "overflows"),
        ([record(b"t", (1, 1, 1, 1, 1), 0, 0)], "dimensions 5"),
        ([record(b"t", (33,), 2, 0)], "not a multiple of the block size 32"),
        ([record(b"t", (32,), 4, 0)], "unknown type 4"),
        ([record(b"n" * 64, (32,), 0, 0)], "name of 64 bytes"),
        ([record(b"t", (0,), 0, 0), record(b"t", (0,), 0, 0)], "stands there twice"),
    ],
)
def test_lying_tensors_are_refused(tmp_path: Path, records: list[bytes], reason: str) -> None:
    with pytest.raises(InvalidGGUF, match=reason):
        GGUFFile.open(damaged(tmp_path / "x.gguf", *records, tensors=len(records), keys=0))


def test_lying_counts_are_refused(tmp_path: Path) -> None:
    for tensors, keys in ((1 << 60, 0), (0, 1 << 60)):
        with pytest.raises(InvalidGGUF, match="exceed the maximum"):
            GGUFFile.open(damaged(tmp_path / "x.gguf", tensors=tensors, keys=keys))
    with pytest.raises(InvalidGGUF, match="does not end within"):
        GGUFFile.open(damaged(tmp_path / "x.gguf", tensors=3, keys=0))


@pytest.mark.parametrize(
    "entry",
    [
        uint("general.alignment", 0),
        uint("general.alignment", 48),
        uint("general.alignment", 1 << 30),
        text("general.alignment", "32"),
        Entry.of("general.alignment", ValueType.UINT64, 32),
    ],
)
def test_impossible_alignments_are_refused(tmp_path: Path, entry: Entry) -> None:
    with pytest.raises(InvalidGGUF, match="alignment must be an UINT32"):
        GGUFFile.open(small_gguf(tmp_path / "x.gguf", [LLAMA, entry]))


def test_a_key_stands_there_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidGGUF, match="twice"):
        GGUFFile.open(small_gguf(tmp_path / "x.gguf", [LLAMA, LLAMA]))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    entries = [LLAMA, array_entry("a", ValueType.STRING, ["x", "", "yz"]), array_entry("b", ValueType.INT16, [1, 2])]
    whole = small_gguf(tmp_path / "x.gguf", entries, [tensor("t", (8,)), tensor("u", (3,))]).read_bytes()
    needed = GGUFFile.open(tmp_path / "x.gguf").data_offset + 32 + 12
    for size in range(len(whole)):
        (tmp_path / "cut.gguf").write_bytes(whole[:size])
        if size < needed:
            with pytest.raises(InvalidGGUF) as error:
                GGUFFile.open(tmp_path / "cut.gguf")
            assert error.value.hint
        else:
            GGUFFile.open(tmp_path / "cut.gguf")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_header_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    entries = [LLAMA, array_entry("a", ValueType.STRING, ["x", "", "yz"]), array_entry("b", ValueType.INT16, [1, 2])]
    whole = bytearray(small_gguf(tmp_path / "x.gguf", entries, [tensor("t", (8,)), tensor("u", (3,))]).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.gguf").write_bytes(whole)
    with suppress(ModelsmithError):  # any other exception is the failure
        gguf = GGUFFile.open(tmp_path / "x.gguf")
        for value in gguf.metadata.values():
            str(list(value) if isinstance(value, GGUFArray) else value)
        str((gguf.kind, gguf.file_type, gguf.special_tokens, gguf.parameter_count, gguf.chat_template))
    assert (tmp_path / "x.gguf").read_bytes() == whole


def test_a_file_that_changed_is_not_read_on(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    gguf = GGUFFile.open(path)
    write_sample(path, special_tokens=("<a>", "<b>"))
    with pytest.raises(UnreadableFile, match="changed"):
        gguf.data_of(gguf.tensors[0]).read()
