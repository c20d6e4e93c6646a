from __future__ import annotations

import hashlib
import itertools
import os
import random
import tracemalloc
from pathlib import Path

import pytest
from cyllama_oracle import loads, needs_llama_cpp
from hypothesis import given, settings
from hypothesis import strategies as st

from modelsmith.errors import UnreadableFile
from modelsmith.files import stream
from modelsmith.files.segments import CHUNK, FileSlice, FileStamp, Segment, joined
from modelsmith.memo import remembering
from modelsmith.progress import Progress
from modelsmith.weights.blobs.blob import EditedGGUF, FileBlob
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.sample import DEEPSEEK_TOKENS, write_sample


def test_a_file_is_hashed_and_streamed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = random.Random(1).randbytes(3 * CHUNK + 17)
    path.write_bytes(data)
    blob = FileBlob(path)
    steps: list[Progress] = []
    assert (blob.path, blob.size) == (path, len(data))
    assert blob.digest(steps.append).hex == hashlib.sha256(data).hexdigest()
    assert [step.completed for step in steps] == [CHUNK, 2 * CHUNK, 3 * CHUNK, len(data)]
    assert b"".join(list(blob.chunks())) == data


def test_a_digest_is_computed_once(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a")
    steps: list[Progress] = []
    with remembering():
        first = FileBlob(path).digest(steps.append)
        assert FileBlob(path).digest(steps.append) == first
        assert len(steps) == 1
        path.write_bytes(b"bb")
        assert FileBlob(path).digest() != first


def test_a_digest_is_forgotten_with_the_command(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a")
    with remembering():
        FileBlob(path).digest()
        assert FileBlob(path).known_digest() is not None
    assert FileBlob(path).known_digest() is None


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(2 * CHUNK))
    blob = FileBlob(path)
    path.write_bytes(bytes(2 * CHUNK - 1))
    with pytest.raises(UnreadableFile, match="changed while it was being read"):
        blob.digest()
    blob = FileBlob(path)
    chunks = blob.chunks()
    next(chunks)
    path.write_bytes(b"short")
    with pytest.raises(UnreadableFile, match="changed while it was being read"):
        list(chunks)


def test_only_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    for path, what in (
        (tmp_path, "a directory"),
        (tmp_path / "pipe", "a pipe"),
        (Path("/dev/null"), "a device"),
        (tmp_path / "dangling", "does not exist"),
        (Path("nul\0"), "cannot be opened"),
    ):
        with pytest.raises(UnreadableFile, match=what):
            FileBlob(path)


def test_an_edited_gguf_is_another_blob(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    plain, one, two = FileBlob(path), EditedGGUF(path, {"k": "1"}), EditedGGUF(path, {"k": "2"})
    assert len({plain.fingerprint, one.fingerprint, two.fingerprint}) == 3
    assert len({plain.digest(), one.digest(), two.digest()}) == 3
    assert hashlib.sha256(b"".join(one.chunks())).hexdigest() == one.digest().hex
    assert repr(one) == f"EditedGGUF({str(path)!r})"


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.binary(max_size=50) | st.tuples(st.integers(0, 90), st.integers(0, 60)), max_size=12))
def test_segments_are_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes | tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("s") / "x"
    data = bytes(range(150))
    path.write_bytes(data)
    stamp = FileStamp.of(path, path.stat())
    segments: list[Segment] = [piece if isinstance(piece, bytes) else FileSlice(stamp, *piece) for piece in pieces]
    expected = b"".join(piece if isinstance(piece, bytes) else data[piece[0] : sum(piece)] for piece in pieces)
    merged = joined(segments)
    assert b"".join(stream.chunks(segments)) == b"".join(stream.chunks(merged)) == expected
    assert all(type(a) is not type(b) or isinstance(a, FileSlice) for a, b in itertools.pairwise(merged))
    descriptor = os.open(path.with_name("copy"), os.O_WRONLY | os.O_CREAT)
    digest = stream.copy_segments(segments, descriptor)
    os.close(descriptor)
    assert path.with_name("copy").read_bytes() == expected
    assert digest == stream.hash_segments(merged)
    assert digest.hex == hashlib.sha256(expected).hexdigest()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(200 * CHUNK)
    blob = FileBlob(path)
    descriptor = os.open(tmp_path / "copy", os.O_WRONLY | os.O_CREAT)
    tracemalloc.start()
    digest = stream.copy_segments(blob.segments, descriptor)
    assert digest == blob.digest()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    os.close(descriptor)
    assert peak < 20 * CHUNK


def test_a_sample_is_small_and_always_the_same(tmp_path: Path) -> None:
    one = write_sample(tmp_path / "a.gguf", chat_template="{{ x }}")
    two = write_sample(tmp_path / "b.gguf", chat_template="{{ x }}")
    assert one.read_bytes() == two.read_bytes() != write_sample(tmp_path / "c.gguf", seed=1).read_bytes()
    assert one.stat().st_size < 2 << 20
    tokens = list(GGUFFile.open(one).metadata["tokenizer.ggml.tokens"])
    assert tokens[-len(DEEPSEEK_TOKENS) :] == list(DEEPSEEK_TOKENS)


@needs_llama_cpp
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_llama_cpp_loads_a_sample(tmp_path: Path, architecture: str) -> None:
    assert loads(write_sample(tmp_path / "x.gguf", architecture=architecture, chat_template="{{ messages }}"))
