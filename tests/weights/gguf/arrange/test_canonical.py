from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from cyllama_oracle import copied, needs_llama_cpp
from local_stores import flag, needs_real_gguf, real_gguf, small_gguf, tensor, text, uint

from modelsmith.errors import InvalidGGUF
from modelsmith.files.segments import Segment
from modelsmith.files.stream import chunks, hash_segments
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.arrange.canonical import canonical
from modelsmith.weights.gguf.arrange.ollama_writer import needs_projector_type, with_projector_type
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.read.tensors import Tensor
from modelsmith.weights.gguf.sample import SampleShape, array_entry, write_sample
from modelsmith.weights.gguf.types import TENSOR_TYPES, ValueType

LLAMA = [
    text("general.architecture", "llama"),
    uint("llama.context_length", 512),
    uint("llama.embedding_length", 64),
    uint("llama.block_count", 2),
    uint("llama.feed_forward_length", 128),
    uint("llama.attention.head_count", 4),
    Entry.of("llama.attention.layer_norm_rms_epsilon", ValueType.FLOAT32, 1e-5),
]

CLIP_BY_OLLAMA = "1931ec6f03871a470f2e317e2443022cb1cc191edfc2911e7df661bcb89f2ee5"


def uint16(key: str, value: int) -> Entry:
    return Entry.of(key, ValueType.UINT16, value)


def whole(segments: Sequence[Segment]) -> bytes:
    return b"".join(chunks(segments))


def rewritten(path: Path, tmp_path: Path) -> GGUFFile:
    target = tmp_path / "canonical.gguf"
    target.write_bytes(whole(canonical(GGUFFile.open(path))))
    return GGUFFile.open(target)


def test_the_order_of_tensors(tmp_path: Path) -> None:
    names = [
        "blk.10.a",
        "blk.2.b",
        "output",
        "blk.2.a",
        "Zed",
        "blk.x.y",
        "blk.1",
        "a",
        "blk.09.c",
        "blk.",
        "é",
        "blk. 3.q",
    ]
    path = small_gguf(tmp_path / "x.gguf", LLAMA, [tensor(name, (32, 2)) for name in names])
    before, after = GGUFFile.open(path), rewritten(path, tmp_path)
    assert [tensor.name for tensor in after.tensors] == [
        *(
            "Zed",
            "a",
            "blk.",
            "blk.x.y",
            "output",
            "é",
            "blk.1",
            "blk.2.a",
            "blk.2.b",
            "blk. 3.q",
            "blk.09.c",
            "blk.10.a",
        )
    ]
    old = {tensor.name: before.data_of(tensor).read() for tensor in before.tensors}
    assert {tensor.name: after.data_of(tensor).read() for tensor in after.tensors} == old


def test_the_order_of_keys(tmp_path: Path) -> None:
    entries = [uint("general.quantization_version", 1), uint("general.file_type", 7), *LLAMA, text("split", "x")]
    entries += [uint16("split.no", 0), uint16("split.count", 1), uint("split.tensors.count", 0)]
    after = rewritten(small_gguf(tmp_path / "x.gguf", entries), tmp_path).metadata
    expected = [entry.key.decode() for entry in LLAMA] + ["split", "general.quantization_version", "general.file_type"]
    assert list(after) == expected
    assert (after["general.quantization_version"], after["general.file_type"]) == (2, 7)


def test_it_is_a_fixed_point(tmp_path: Path) -> None:
    after = rewritten(write_sample(tmp_path / "x.gguf"), tmp_path)
    assert whole(canonical(after)) == after.path.read_bytes()


def test_a_missing_file_type_is_guessed(tmp_path: Path) -> None:
    tensors = [tensor("a", (32,), 2), tensor("b", (32,), 2), tensor("c", (32,), 0)]
    after = rewritten(small_gguf(tmp_path / "x.gguf", LLAMA, tensors), tmp_path)
    assert after.metadata["general.file_type"] == 1024 + 2


def test_strings_end_at_nul_and_truths_are_one(tmp_path: Path) -> None:
    entries = [
        *LLAMA,
        text("s", "a\0b"),
        array_entry("l", ValueType.STRING, ["x\0y", "", "z" * 300]),
        Entry(b"b", ValueType.BOOL, b"\x02"),
        Entry(b"bs", ValueType.ARRAY, b"\xff\0\x01", ValueType.BOOL, 3),
    ]
    after = rewritten(small_gguf(tmp_path / "x.gguf", entries), tmp_path).metadata
    assert (after["s"], list(after["l"])) == ("a", ["x", "", "z" * 300])
    assert [entry.raw() for entry in after.entries if entry.key in {b"b", b"bs"}] == [b"\x01", b"\x01\0\x01"]


def test_trailing_dimensions_of_one_go(tmp_path: Path) -> None:
    tensors = [tensor("a", (32, 1)), tensor("b", (1, 1, 1, 1)), tensor("c", (1, 8)), tensor("d", ())]
    after = rewritten(small_gguf(tmp_path / "x.gguf", LLAMA, tensors), tmp_path)
    assert [tensor.dims for tensor in after.tensors] == [(32,), (1,), (1, 8), (1,)]


@pytest.mark.parametrize(
    ("entries", "tensors", "reason"),
    [
        ([], [], "general.architecture is missing"),
        (LLAMA[:1], [], "llama.context_length is missing"),
        ([*LLAMA, Entry.of("general.file_type", ValueType.UINT64, 1)], [], "general.file_type is not an UINT32"),
        ([*LLAMA, text("", "x")], [], "key is empty"),
        (LLAMA, [tensor("a", (32, 0))], "has no elements"),
    ],
)
def test_what_llama_cpp_refuses_is_refused(
    tmp_path: Path, entries: list[Entry], tensors: list[tuple[Tensor, bytes]], reason: str
) -> None:
    with pytest.raises(InvalidGGUF, match=reason):
        canonical(GGUFFile.open(small_gguf(tmp_path / "x.gguf", entries, tensors)))


def test_tensors_that_overlap_are_refused(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", LLAMA, [tensor("a", (32,)), tensor("b", (32,))])
    data = path.read_bytes()
    position = data.index((128).to_bytes(8, "little"), data.index(b"\x01\0\0\0\0\0\0\0b"))
    path.write_bytes(data[:position] + bytes(8) + data[position + 8 :])
    with pytest.raises(InvalidGGUF, match='tensor "b" is at offset 0, not at 128'):
        canonical(GGUFFile.open(path))


@pytest.mark.parametrize("alignment", [8, 64, 128, 4096])
def test_another_alignment_is_kept(tmp_path: Path, alignment: int) -> None:
    """llama.cpp forgets it here, and writes a file that it cannot read."""
    path = write_sample(tmp_path / "x.gguf", metadata={"general.alignment": uint("general.alignment", alignment)})
    before, after = GGUFFile.open(path), rewritten(path, tmp_path)
    assert after.data_offset % alignment == 0
    assert whole(canonical(after)) == after.path.read_bytes()
    old = {tensor.name: before.data_of(tensor).read() for tensor in before.tensors}
    assert {tensor.name: after.data_of(tensor).read() for tensor in after.tensors} == old


def shards(folder: Path, tensors: Sequence[tuple[Tensor, bytes]]) -> list[Path]:
    """Write the tensors as two shards, as llama-gguf-split does: the second one has only the split's keys."""
    half = len(tensors) // 2
    paths = []
    for number, part in enumerate((tensors[:half], tensors[half:])):
        split = [
            uint16("split.no", number),
            uint16("split.count", 2),
            Entry.of("split.tensors.count", ValueType.INT32, len(tensors)),
        ]
        path = folder / f"x-{number + 1:05d}-of-00002.gguf"
        paths.append(small_gguf(path, [*(LLAMA if number == 0 else []), *split], part))
    return paths


def test_shards_become_one_file(tmp_path: Path) -> None:
    tensors = [tensor(name, (32,)) for name in ("blk.1.a", "blk.0.a", "output", "token")]
    merged = whole(canonical(*map(GGUFFile.open, shards(tmp_path, tensors))))
    assert merged == whole(canonical(GGUFFile.open(small_gguf(tmp_path / "whole.gguf", LLAMA, tensors))))
    first = GGUFFile.open(tmp_path / "x-00001-of-00002.gguf")
    with pytest.raises(InvalidGGUF, match="the same tensor twice"):
        canonical(first, first)


VARIANTS: dict[str, dict[str, Entry | None]] = {
    "plain": {},
    "no file type": {"general.file_type": None},
    "no quantization version": {"general.quantization_version": None},
    "alignment 16": {"general.alignment": uint("general.alignment", 16)},
    "alignment 32": {"general.alignment": uint("general.alignment", 32)},
    "truths": {
        "b": Entry(b"b", ValueType.BOOL, b"\x02"),
        "c": Entry(b"c", ValueType.ARRAY, b"\2\0\xff", ValueType.BOOL, 3),
    },
    "NULs": {"s": text("s", "a\0b"), "l": array_entry("l", ValueType.STRING, ["x\0y", "", "z" * 300, "\0"])},
    "not UTF-8": {"s": Entry(b"s", ValueType.STRING, b"\x03\0\0\0\0\0\0\0\xff\xfeA")},
    "split keys": {"split.no": uint16("split.no", 0), "split.count": uint16("split.count", 1)},
    "wrong split keys": {"split.count": uint("split.count", 1)},
    "types": {
        f"x.{kind.name}": Entry.of(f"x.{kind.name}", kind, "é" if kind == ValueType.STRING else 1)
        for kind in ValueType
        if kind != ValueType.ARRAY
    },
    "arrays": {
        f"x.{kind.name}": array_entry(f"x.{kind.name}", kind, ["é", ""] if kind == ValueType.STRING else [1, 0])
        for kind in ValueType
        if kind != ValueType.ARRAY
    },
    "empty arrays": {
        f"x.{kind.name}": array_entry(f"x.{kind.name}", kind, []) for kind in ValueType if kind != ValueType.ARRAY
    },
    "wrong file type": {"general.file_type": Entry.of("general.file_type", ValueType.UINT64, 1)},
    "no context length": {"llama.context_length": None},
    "no block count": {"llama.block_count": None},
    "no embedding length": {"llama.embedding_length": None},
    "no architecture": {"general.architecture": None},
}


def ours(path: Path) -> bytes | None:
    try:
        return whole(canonical(GGUFFile.open(path)))
    except InvalidGGUF:
        return None


@needs_llama_cpp
def test_the_bytes_are_llama_cpps(tmp_path: Path) -> None:
    shape = SampleShape(blocks=12, embedding=32)
    paths = [write_sample(tmp_path / name, shape=shape, metadata=changes) for name, changes in VARIANTS.items()]
    theirs = copied(*paths)
    assert [path.name for path, expected in zip(paths, theirs, strict=True) if ours(path) != expected] == []
    assert sum(expected is None for expected in theirs) == 6


@needs_llama_cpp
def test_odd_names_and_shapes_are_llama_cpps(tmp_path: Path) -> None:
    names = [
        "blk.3x",
        "blk. 3.a",
        "blk.-1.a",
        "blk.+2.z",
        "blk.x.y",
        "blk.",
        "blk.10.a",
        "blk.9.a",
        "blk.09.b",
        "Blk.1",
        "a",
    ]
    names += [
        "Z",
        "é",
        "blk.1",
        "blk.2147483648.a",
        "blk.4294967297.q",
        "blk.99999999999999999999.z",
        "blk.\t5.c",
        "blk.0x1.c",
    ]
    tensors = [tensor(name, (32,)) for name in names]
    tensors += [tensor("d1", (32, 2, 1, 1)), tensor("d2", (1, 1, 1, 1)), tensor("d3", (3,)), tensor("d4", (7, 3), 1)]
    path = small_gguf(tmp_path / "x.gguf", LLAMA, tensors)
    assert copied(path) == [ours(path)]


@needs_llama_cpp
def test_the_guess_of_the_file_type_is_llama_cpps(tmp_path: Path) -> None:
    paths = []
    for type_ in TENSOR_TYPES.values():
        if type_.name != "Q8_1":  # llama.cpp refuses to load it
            zeros = bytes(type_.width * 4)
            tensors = [(Tensor(f"t{n}", (type_.block * 2, 2), type_, 0, len(zeros)), zeros) for n in range(2)]
            paths.append(small_gguf(tmp_path / type_.name, LLAMA, [*tensors, tensor("other", (4,))]))
    theirs = copied(*paths)
    assert [path.name for path, expected in zip(paths, theirs, strict=True) if ours(path) != expected] == []


@needs_llama_cpp
def test_merged_shards_are_llama_cpps(tmp_path: Path) -> None:
    paths = shards(tmp_path, [tensor(name, (32,)) for name in ("blk.11.a", "blk.2.a", "output", "token")])
    assert copied(paths[0]) == [whole(canonical(*map(GGUFFile.open, paths)))]


@needs_real_gguf
def test_a_real_model_is_what_ollama_stores() -> None:
    path = real_gguf()
    assert path is not None
    segments = canonical(GGUFFile.open(path))
    assert hash_segments(segments).hex == "941f309b54caaad6747569ba43712bcde44a2be3bae16c3282ff499c37c54af5"


def test_a_projector_without_a_type_is_written_by_ollamas_rules(tmp_path: Path) -> None:
    """The digest is that of the layer that Ollama 0.33 made of the same file."""
    entries = [
        text("general.architecture", "clip"),
        flag("clip.has_vision_encoder", True),
        uint("clip.vision.block_count", 2),
        uint("general.file_type", 1),
        text("zz.key", "v"),
        array_entry("clip.arr", ValueType.FLOAT32, [1.0, 2.0]),
    ]
    numbered = []
    for name, dims in (("a.w", (32, 4)), ("blk.1.w", (32,)), ("blk.0.w", (7,))):
        count = dims[0] * (dims[1] if len(dims) > 1 else 1)
        item, _ = tensor(name, dims)
        numbered.append((item, b"".join(Entry.of("", ValueType.FLOAT32, n / 7).raw() for n in range(count))))
    gguf = GGUFFile.open(small_gguf(tmp_path / "mm.gguf", entries, numbered))
    assert needs_projector_type(gguf)
    assert hashlib.sha256(whole(with_projector_type(gguf))).hexdigest() == CLIP_BY_OLLAMA
    typed = [*entries, text("clip.projector_type", "mlp")]
    assert not needs_projector_type(GGUFFile.open(small_gguf(tmp_path / "typed.gguf", typed)))


def test_ollama_refuses_to_write_small_integers(tmp_path: Path) -> None:
    entries = [text("general.architecture", "clip"), Entry.of("clip.u8", ValueType.UINT8, 2)]
    with pytest.raises(InvalidGGUF, match=r"improper type for 'clip\.u8'"):
        with_projector_type(GGUFFile.open(small_gguf(tmp_path / "mm.gguf", entries)))
