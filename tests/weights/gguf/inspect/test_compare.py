"""What differs between two GGUFs, their digests, and the canonical order as a file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from cyllama_oracle import copied, needs_llama_cpp
from local_stores import flag, small_gguf, tensor, text, uint

from modelsmith.errors import Unsupported, UsageError
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.arrange.canonical import canonical
from modelsmith.weights.gguf.arrange.canonicalize import canonicalize, is_canonical
from modelsmith.weights.gguf.arrange.shards import open_shards
from modelsmith.weights.gguf.arrange.split import plan_split, write_split
from modelsmith.weights.gguf.edit.edit import edit
from modelsmith.weights.gguf.edit.inplace import write_edit
from modelsmith.weights.gguf.edit.inplace_plan import plan_edit
from modelsmith.weights.gguf.inspect.compare import GGUFDifference, compare_models
from modelsmith.weights.gguf.inspect.hashes import hash_gguf, manifest
from modelsmith.weights.gguf.sample import array_entry, write_sample
from modelsmith.weights.gguf.types import ValueType


def change(path: Path, name: str) -> None:
    gguf = GGUFFile.open(path)
    write_edit(plan_edit(gguf, edit(gguf, {"general.name": name}).metadata))


def compared(a: Path, b: Path, *, quick: bool = False) -> GGUFDifference:
    return compare_models(open_shards([a]), open_shards([b]), quick=quick)


def test_the_same_model_laid_out_otherwise(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "a.gguf")
    assert compared(path, path) == compared(path, Path(shutil.copy(path, tmp_path / "b.gguf")))
    assert compared(path, path).equal
    assert not compared(path, path).layout
    gguf = GGUFFile.open(path)
    shards = plan_split(gguf, tmp_path / "s", max_tensors=8)
    write_split(gguf, shards)
    canonicalize(path, tmp_path / "c.gguf")
    roomy = Path(shutil.copy(path, tmp_path / "d.gguf"))
    change(roomy, "x" * 500)
    change(roomy, "modelsmith sample")
    for other, note in (
        (shards[0].path, "shards: 1 and 3"),
        (tmp_path / "c.gguf", "the tensors stand in another order"),
        (roomy, "room for edits: none and"),
    ):
        found = compared(path, other)
        assert found.equal
        assert found.same_tensors == len(gguf.tensors)
        assert any(line.startswith(note) for line in found.layout)


def test_everything_that_differs_is_told(tmp_path: Path) -> None:
    same, flipped = tensor("same", (4, 4)), tensor("flipped", (8,))
    a = small_gguf(
        tmp_path / "a.gguf",
        [uint("n", 1), text("s", "x"), flag("f", True), array_entry("l", ValueType.UINT8, [1, 2])],
        [same, flipped, tensor("shape", (8,)), tensor("type", (8,)), tensor("gone", (2,))],
    )
    b = small_gguf(
        tmp_path / "b.gguf",
        [text("n", "1"), text("s", "x"), flag("g", True), array_entry("l", ValueType.UINT8, [1, 3])],
        [same, (flipped[0], bytes(32)), tensor("shape", (4, 2)), tensor("type", (8,), 1), tensor("new", (2,))],
    )
    found = compared(a, b)
    assert [each.key for each in found.metadata] == ["n", "f", "l", "g"]
    assert [(each.name, each.data) for each in found.tensors] == [
        ("flipped", "different"),
        ("shape", ""),
        ("type", ""),
        ("gone", ""),
        ("new", ""),
    ]
    assert found.same_tensors == 1
    assert not found.equal
    quick = compared(a, b, quick=True)
    assert [each.name for each in quick.tensors] == ["shape", "type", "gone", "new"]
    assert quick.same_tensors == 2
    assert not quick.data_compared


def test_digests(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "a.gguf")
    gguf = GGUFFile.open(path)
    found = hash_gguf(gguf)
    data = [gguf.data_of(each).read() for each in gguf.tensors]
    assert found.file == FileBlob(path).digest().hex
    assert found.tensors == hashlib.sha256(b"".join(data)).hexdigest()
    assert [*found.by_tensor.values()] == [hashlib.sha256(each).hexdigest() for each in data]
    assert hash_gguf(gguf, algorithm="sha1").tensors == hashlib.sha1(b"".join(data)).hexdigest()
    lines = manifest(found, "a.gguf").splitlines()
    assert lines[0] == f"sha256    {found.by_tensor[gguf.tensors[0].name]}  a.gguf:{gguf.tensors[0].name}"
    assert lines[-1] == f"sha256    {found.tensors}  a.gguf"
    change(path, "x" * 500)
    assert hash_gguf(GGUFFile.open(path)).tensors == found.tensors


def test_digests_of_tensors_in_another_order(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "a.gguf", [uint("n", 1)], [tensor("a", (8,)), tensor("b", (8,)), tensor("c", (0,))])
    data = bytearray(path.read_bytes())
    first, second = GGUFFile.open(path).tensors[:2]
    swapped = (
        bytes(data)
        .replace(first.info(0), first.info(second.offset))
        .replace(second.info(second.offset), second.info(0))
    )
    path.write_bytes(swapped)
    gguf = GGUFFile.open(path)
    found = hash_gguf(gguf)
    assert found.file == hashlib.sha256(swapped).hexdigest()
    assert found.tensors == hashlib.sha256(b"".join(gguf.data_of(each).read() for each in gguf.tensors)).hexdigest()


def test_canonical_files(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "a.gguf")
    plain = path.read_bytes()
    digest = canonicalize(path, tmp_path / "c.gguf")
    made = (tmp_path / "c.gguf").read_bytes()
    assert b"".join(each if isinstance(each, bytes) else each.read() for each in canonical(GGUFFile.open(path))) == made
    assert digest == FileBlob(tmp_path / "c.gguf").digest()
    assert is_canonical(GGUFFile.open(tmp_path / "c.gguf"))
    assert not is_canonical(GGUFFile.open(path))
    assert path.read_bytes() == plain
    gguf = GGUFFile.open(path)
    shards = plan_split(gguf, tmp_path / "s", max_tensors=8)
    write_split(gguf, shards)
    assert canonicalize(shards[0].path, tmp_path / "d.gguf") == digest
    with pytest.raises(UsageError, match="one of 3 shards"):
        canonicalize(shards[0].path)
    assert canonicalize(path, tmp_path / "c.gguf") == digest  # byte for byte what is there
    (tmp_path / "d.gguf").write_bytes(made[:-1])
    with pytest.raises(UsageError, match="exists already"):
        canonicalize(path, tmp_path / "d.gguf")
    with pytest.raises(UsageError, match="would be replaced"):
        canonicalize(path)
    assert path.read_bytes() == plain
    assert canonicalize(path, overwrite=True) == digest
    assert path.read_bytes() == made
    assert path.with_name("a.gguf.old").read_bytes() == plain
    assert canonicalize(path) is None


@needs_llama_cpp
def test_llama_cpp_writes_the_same(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "a.gguf", chat_template="{{ a }}")
    canonicalize(path, tmp_path / "c.gguf")
    assert copied(path) == [(tmp_path / "c.gguf").read_bytes()]


def test_room_is_taken_out_and_edits_are_not_lost(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "a.gguf")
    digest = canonicalize(path, tmp_path / "c.gguf")
    change(path, "x" * 500)
    change(path, "modelsmith sample")
    assert canonicalize(path, tmp_path / "d.gguf") == digest
    with pytest.raises(UsageError, match="could not be undone"):
        canonicalize(path)


@pytest.mark.parametrize("kind", ["adapter", "projector"])
def test_what_ollama_stores_as_it_is(tmp_path: Path, kind: str) -> None:
    path = small_gguf(tmp_path / "a.gguf", [text("general.architecture", "x"), text("general.type", kind)])
    with pytest.raises(Unsupported, match=f"is an? {kind}"):
        canonicalize(path, tmp_path / "b.gguf")
    path = write_sample(tmp_path / "v.gguf")
    data = path.read_bytes().replace(b"blk.0.attn_norm.weight", b"v.a.0.attn_norm.weight")
    path.write_bytes(data)
    with pytest.raises(Unsupported, match="images"):
        canonicalize(path, tmp_path / "b.gguf")
