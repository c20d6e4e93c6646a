"""Editing GGUF files: in place or with the rest copied, undone to the byte, whole after a kill at any moment."""

from __future__ import annotations

import errno
import itertools
import mmap
import os
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import gguf as reference
import pytest
from cyllama_oracle import loads, needs_llama_cpp
from deaths import die_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_stores import small_gguf, tensor, text, uint

from modelsmith.errors import InvalidGGUF, ModelsmithError, UnreadableFile, UsageError, VerificationFailed
from modelsmith.files import copying
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.edit import inplace
from modelsmith.weights.gguf.edit import undo as records
from modelsmith.weights.gguf.edit.edit import edit, renamed
from modelsmith.weights.gguf.edit.inplace import Edited, write_edit
from modelsmith.weights.gguf.edit.inplace_plan import open_to_edit, plan_edit
from modelsmith.weights.gguf.edit.inplace_undo import undo
from modelsmith.weights.gguf.edit.padding import PADDING, filling
from modelsmith.weights.gguf.edit.undo import count_records, undo_path
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.types import ValueType

CHAT = "tokenizer.chat_template"


def change(path: Path, changes: dict[str, Any], target: Path | None = None, **options: Any) -> Edited:
    gguf = open_to_edit(path)
    padding = options.pop("padding", True)
    return write_edit(plan_edit(gguf, edit(gguf, changes).metadata, padding=padding), target, **options)


def data_of(path: Path) -> bytes:
    return path.read_bytes()[GGUFFile.open(path).data_offset :]


def without_room(path: Path) -> dict[str, Any]:
    return {key: value for key, value in GGUFFile.open(path).metadata.items() if key != PADDING}


@pytest.mark.parametrize("alignment", [1, 8, 16, 32, 64, 4096])
def test_room_is_filled_but_for_less_than_the_alignment(alignment: int) -> None:
    for room in (*range(130), 4095, 4096, 4097, 70_000):
        found = filling(room, alignment)
        if found is None:
            assert alignment <= room < 50 or alignment < 8
        else:
            assert 0 <= room - sum(len(entry.head()) + len(entry.value) for entry in found) < alignment
    assert alignment < 32 or all(filling(room, alignment) is not None for room in range(300))


def test_a_header_grows_once_and_later_edits_are_in_place(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    data = data_of(path)
    first = change(path, {CHAT: "x" * 1000})
    assert not first.plan.in_place
    assert GGUFFile.open(path).data_offset % 32 == 0
    for length in (5000, 1, 60_000, 0, 1001):
        inode = path.stat().st_ino
        done = change(path, {CHAT: "y" * length, "general.name": "n" * (length % 977)})
        assert done.how == "in place"
        assert path.stat().st_ino == inode
        assert GGUFFile.open(path).metadata[CHAT] == "y" * length
        assert data_of(path) == data
    assert PADDING in GGUFFile.open(path).metadata


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["general.name", CHAT, "new"]), st.none() | st.integers(0, 300)), max_size=6))
def test_edits_are_undone_to_the_byte(tmp_path: Path, edits: list[tuple[str, int | None]]) -> None:
    path = small_gguf(tmp_path / "x.gguf", [text("general.name", "old"), uint("u", 1)], [tensor("a", (7,))])
    undo_path(path).unlink(missing_ok=True)
    states = [path.read_bytes()]
    for key, length in edits:
        change(path, {key: None if length is None else "é" * length})
        if path.read_bytes() != states[-1]:
            states.append(path.read_bytes())
        assert data_of(path) == data_of(small_gguf(tmp_path / "y.gguf", [], [tensor("a", (7,))]))
    for state in reversed(states[:-1]):
        undo(path)
        assert path.read_bytes() == state
    assert not undo_path(path).exists()
    with pytest.raises(UsageError, match="no edit to undo"):
        undo(path)


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    done = change(path, {"tokenizer.ggml.eos_token_id": 3})
    assert done.plan.in_place
    assert done.plan.bytes_to_write <= 4
    assert change(path, {"tokenizer.ggml.eos_token_id": 3}).how == "unchanged"
    assert count_records(path) == 1


def test_no_padding(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    before = path.read_bytes()
    change(path, {CHAT: "x" * 1000}, padding=False)
    assert PADDING not in GGUFFile.open(path).metadata
    change(path, {CHAT: "{{ a }}"})
    assert PADDING in GGUFFile.open(path).metadata
    change(path, {}, padding=False)
    assert path.read_bytes() == before


def test_readers_take_the_room(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    values = without_room(path)
    for template in ("x" * 1000, "y" * 980, "z" * 950, "{{ a }}"):
        change(path, {CHAT: template})
        found = reference.GGUFReader(path)
        assert bytes(found.fields[CHAT].parts[-1]) == template.encode()
        assert [each.name for each in found.tensors] == [each.name for each in GGUFFile.open(path).tensors]
    assert dict(without_room(path)).keys() == values.keys()


@needs_llama_cpp
def test_llama_cpp_loads_what_was_edited(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    for template in ("x" * 1000, "y" * 980):
        change(path, {CHAT: template})
        assert loads(path)


def test_rename_keeps_place_and_value(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", [uint("a", 1), text("b", "x"), uint("c", 3)])
    gguf = GGUFFile.open(path)
    write_edit(plan_edit(gguf, renamed(gguf, {"a": "c2", "b": "bb"}).metadata))
    assert list(without_room(path).items()) == [("c2", 1), ("bb", "x"), ("c", 3)]
    for names, reason in (({"zz": "y"}, "no key"), ({"bb": "c"}, "already"), ({"bb": "y", "c": "y"}, "same name")):
        with pytest.raises(UsageError, match=reason):
            renamed(GGUFFile.open(path), names)


def test_another_file_leaves_the_source_alone(tmp_path: Path) -> None:
    path, target = write_sample(tmp_path / "x.gguf"), tmp_path / "y.gguf"
    before = path.read_bytes()
    done = change(path, {"general.name": "other"}, target, verify=True)
    assert path.read_bytes() == before
    assert data_of(target) == data_of(path)
    assert done.data_before == done.data_after != ""
    assert without_room(target)["general.name"] == "other"
    assert not undo_path(path).exists()
    assert not undo_path(target).exists()
    with pytest.raises(UsageError, match="exists already"):
        change(path, {"general.name": "x"}, target)
    change(path, {"general.name": "x"}, target, overwrite=True)
    (tmp_path / "link.gguf").symlink_to(path)
    for same in (path, tmp_path / "link.gguf"):
        with pytest.raises(UsageError, match="is what is read"):
            change(path, {"general.name": "x"}, same, overwrite=True)
    for place, reason in ((tmp_path, "is a folder"), (tmp_path / "no" / "x.gguf", "no folder")):
        with pytest.raises(UsageError, match=reason):
            change(path, {"general.name": "x"}, place)


@pytest.mark.parametrize(
    "name", ["blobs/sha256-" + "ab" * 32, "sha256-" + "ab" * 32, "blobs/sha256/" + "ab" * 32, "blobs/" + "ab" * 32]
)
def test_a_blob_is_never_edited(tmp_path: Path, name: str) -> None:
    blob = tmp_path / name
    blob.parent.mkdir(parents=True, exist_ok=True)
    write_sample(blob)
    before = blob.read_bytes()
    (tmp_path / "link.gguf").symlink_to(blob)
    for path in (blob, tmp_path / "link.gguf"):
        with pytest.raises(UsageError, match="is a blob") as caught:
            change(path, {"general.name": "x"})
        assert "-o OUT" in caught.value.hint
    change(blob, {"general.name": "x"}, tmp_path / "copy.gguf")
    assert blob.read_bytes() == before


def test_a_hard_link_gets_a_file_of_its_own(tmp_path: Path) -> None:
    blob = write_sample(tmp_path / ("sha256-" + "ab" * 32))
    before = blob.read_bytes()
    path = tmp_path / "model.gguf"
    path.hardlink_to(blob)
    change(path, {"tokenizer.ggml.eos_token_id": 3})
    assert blob.read_bytes() == before
    assert GGUFFile.open(path).metadata["tokenizer.ggml.eos_token_id"] == 3
    undo(path)
    assert path.read_bytes() == before


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    link = tmp_path / "link.gguf"
    link.symlink_to("x.gguf")
    change(link, {"general.name": "a longer name" * 50})
    assert link.is_symlink()
    assert without_room(path)["general.name"].startswith("a longer")
    undo(link)
    assert without_room(path)["general.name"] == "modelsmith sample"


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    path.chmod(0o444)
    with pytest.raises(UsageError, match="read-only"):
        change(path, {"general.name": "x"})
    change(path, {"general.name": "x"}, tmp_path / "y.gguf")


def test_mode_and_time(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    path.chmod(0o640)
    change(path, {"general.name": "x" * 500})
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_model_that_runs_is_not_disturbed(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    data, offset = data_of(path), GGUFFile.open(path).data_offset
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        change(path, {"tokenizer.ggml.eos_token_id": 3})
        assert view[offset:] == data
        change(path, {"general.name": "x" * 500})
        assert view[offset:] == data


def test_only_one_edits_at_a_time(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    with inplace.locked(path), pytest.raises(UsageError, match="being edited by another program"):
        change(path, {"general.name": "x"})


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    gguf = GGUFFile.open(path)
    plan = plan_edit(gguf, edit(gguf, {"general.name": "x"}).metadata)
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(1, 1))
    with pytest.raises(UnreadableFile, match="changed while"):
        write_edit(plan)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_an_interrupted_edit_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    path = write_sample(tmp_path / "x.gguf")
    before, write = path.read_bytes(), inplace.write_at

    def killed(descriptor: int, pieces: Any, data: bytes) -> None:
        write(descriptor, tuple((start, int(length * share)) for start, length in pieces[:1]), data)
        for piece in pieces[1:] if share == 1 else ():
            write(descriptor, (piece,), data[sum(length for start, length in pieces if start < piece[0]) :])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inplace, "write_at", killed)
        with pytest.raises(KeyboardInterrupt):
            change(path, {"general.name": "short"})
    if share == 0.3:
        with pytest.raises(InvalidGGUF, match="an edit was interrupted") as caught:
            change(path, {"general.name": "again"})
        assert "gguf undo" in caught.value.hint
    undo(path)
    assert path.read_bytes() == before


def test_a_failing_disk_leaves_the_old_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sample(tmp_path / "x.gguf")
    before, write = path.read_bytes(), inplace.write_at
    calls = []

    def failing(descriptor: int, pieces: Any, data: bytes) -> None:
        calls.append(1)
        write(descriptor, ((pieces[0][0], min(40, len(data))),), data[:40])
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")
        write(descriptor, pieces, data)

    monkeypatch.setattr(inplace, "write_at", failing)
    with pytest.raises(UnreadableFile, match="cannot be written"):
        change(path, {"general.name": "short"})
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["short", "a much longer name " * 40])
def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = write_sample(tmp_path / "x.gguf")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelsmithError) as caught:
        change(path, {"general.name": name})
    assert "free some space" in caught.value.hint
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["x.gguf"]


def test_what_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    change(path, {"general.name": "short"})
    write_sample(path, chat_template="{{ other }}")
    mine = path.read_bytes()
    with pytest.raises(UsageError, match="changed by something else"):
        undo(path)
    change(path, {"general.name": "mine now"})
    assert count_records(path) == 1
    undo(path)
    assert path.read_bytes() == mine


@pytest.mark.parametrize(
    "damage", [b"other", b"modelsmith undo 1\nD {}\n" + bytes(100), b"modelsmith undo 1\n" + b"D" * 9000]
)
def test_a_damaged_undo_file_is_told(tmp_path: Path, damage: bytes) -> None:
    path = write_sample(tmp_path / "x.gguf")
    undo_path(path).write_bytes(damage)
    for action in (lambda: change(path, {"general.name": "x"}), lambda: undo(path)):
        with pytest.raises(InvalidGGUF, match="undo"):
            action()


@pytest.mark.parametrize("left", [0, 5, 18, 30, -40])
def test_a_record_that_is_not_whole_is_of_an_edit_that_never_began(tmp_path: Path, left: int) -> None:
    path = write_sample(tmp_path / "x.gguf")
    before = path.read_bytes()
    change(path, {"general.name": "short"})
    undo(path)
    change(path, {"general.name": "short"})
    undo_path(path).write_bytes(undo_path(path).read_bytes()[:left])
    with pytest.raises(UsageError, match="no edit to undo"):
        undo(path)
    path.write_bytes(before)
    change(path, {"general.name": "again"})
    undo(path)
    assert path.read_bytes() == before


def test_the_oldest_edits_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_MOST", 3)
    path = write_sample(tmp_path / "x.gguf")
    states = []
    for number in range(6):
        change(path, {"tokenizer.ggml.eos_token_id": number})
        states.append(path.read_bytes())
    for state in states[-2:1:-1]:
        undo(path)
        assert path.read_bytes() == state
    assert count_records(path) == 0
    assert not undo_path(path).exists()


def test_undo_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="is not there"):
        undo(tmp_path / "x.gguf")


def test_a_changed_tail_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sample(tmp_path / "x.gguf")

    def wrong(source: int, start: int, target: int, place: int, length: int, *_: Any) -> str:
        os.ftruncate(target, place + length)
        return "copied"

    monkeypatch.setattr(inplace, "copy_range", wrong)
    with pytest.raises(VerificationFailed, match="is not what it was"):
        change(path, {"general.name": "x" * 500}, verify=True)


@pytest.mark.parametrize(
    ("earlier", "most"),
    [((), 100), (("first", "a"), 100), (("first", "a"), 2)],
    ids=["the first edit", "all are kept", "the oldest are dropped"],
)
@pytest.mark.parametrize("name", ["in place", "grows" * 400])
def test_killed_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, earlier: tuple[str, ...], most: int
) -> None:
    monkeypatch.setattr(records, "_MOST", most)
    after = write_sample(tmp_path / "after.gguf")
    before = tmp_path / "before" / "x.gguf"
    before.parent.mkdir()
    states = [after.read_bytes()]
    for value in earlier:
        change(after, {"general.name": value})
        states.append(after.read_bytes())
    shutil.copy(after, before)
    if earlier:
        shutil.copy(undo_path(after), undo_path(before))
    change(after, {"general.name": name})
    states.append(after.read_bytes())
    killed = 0
    for number in itertools.count(1):
        folder = tmp_path / f"killed-{number}"
        shutil.copytree(before.parent, folder)
        path = folder / before.name
        if not die_at(number, partial(change, path, {"general.name": name})):
            break
        killed += 1
        try:
            open_to_edit(path)
        except InvalidGGUF:
            undo(path)
        assert path.read_bytes() in {states[-2], states[-1]}
        change(path, {"general.name": name})
        assert path.read_bytes() == after.read_bytes()
        expected = min(most, len(earlier) + 1)
        assert count_records(path) == expected
        for state in states[-2 : -2 - expected : -1]:
            undo(path)
            assert path.read_bytes() == state
        assert not list(folder.glob(".*"))
    assert killed > 10


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize(
    ("start", "place", "length"), [(0, 0, 10_000), (4096, 0, 9000), (5000, 904, 1), (3, 4099, 20_000)]
)
def test_ranges_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: bool, start: int, place: int, length: int
) -> None:
    if not kernel:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    data = random.Random(1).randbytes(8192) + bytes(8192) + random.Random(2).randbytes(9000)
    (tmp_path / "a").write_bytes(data)
    with (tmp_path / "a").open("rb") as source, (tmp_path / "b").open("w+b") as target:
        target.write(b"h" * place)
        target.flush()
        copying.copy_range(source.fileno(), start, target.fileno(), place, length)
    assert (tmp_path / "b").read_bytes() == b"h" * place + data[start : start + length]


def test_holes_stay_holes(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf")
    offset = GGUFFile.open(path).data_offset
    with path.open("r+b") as file:
        file.truncate(offset + (1 << 30))
    change(path, {"general.name": "x" * 500})
    assert path.stat().st_size > 1 << 30
    assert path.stat().st_blocks * 512 < 8 << 20


def test_scalars_of_every_type(tmp_path: Path) -> None:
    kinds = [kind for kind in ValueType if kind not in {ValueType.ARRAY, ValueType.STRING, ValueType.BOOL}]
    path = small_gguf(tmp_path / "x.gguf", [Entry.of(kind.name, kind, 1) for kind in kinds])
    change(path, {kind.name: 2 for kind in kinds})
    assert without_room(path) == {kind.name: 2 for kind in kinds}
    undo(path)
    assert without_room(path) == {kind.name: 1 for kind in kinds}
