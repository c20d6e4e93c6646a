from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_stores import small_gguf, tensor, text, uint

from modelsmith.errors import Unsupported, UsageError
from modelsmith.weights.blobs.blob import EditedGGUF
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import array_entry, write_sample
from modelsmith.weights.gguf.types import ValueType

CHAT = "tokenizer.chat_template"


def edited(path: Path, changes: dict[str, Any]) -> GGUFFile:
    """Write the edited file beside the old one and open it."""
    source = EditedGGUF(path, changes)
    target = path.with_suffix(".edited")
    target.write_bytes(b"".join(source.chunks()))
    assert target.stat().st_size == source.size
    assert source.gguf.metadata.keys() == GGUFFile.open(target).metadata.keys()
    return GGUFFile.open(target)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(template=st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200))
def test_a_chat_template_can_be_set_and_removed(tmp_path: Path, template: str | None) -> None:
    path = small_gguf(
        tmp_path / "x.gguf", [text(CHAT, "old"), uint("after", 7)], [tensor("a", (7,)), tensor("b", (3,))]
    )
    before, after = GGUFFile.open(path), edited(path, {CHAT: template})
    assert after.chat_template == (template or None)
    assert [key for key in after.metadata if key != CHAT] == ["after"]
    assert after.data_offset % 32 == 0
    assert [(item.name, item.offset) for item in after.tensors] == [(item.name, item.offset) for item in before.tensors]
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert before.data_of(old).read() == after.data_of(new).read()


def test_an_edit_changes_nothing_else(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template="{{ a }}")
    changed = edited(path, {CHAT: "{{ b }}"})
    assert changed.path.read_bytes() == path.read_bytes().replace(b"{{ a }}", b"{{ b }}")
    assert edited(path, {}).path.read_bytes() == path.read_bytes()
    assert edited(path, {CHAT: "{{ a }}"}).path.read_bytes() == path.read_bytes()


def test_keys_keep_their_place_and_type(tmp_path: Path) -> None:
    entries = [uint("u", 1), Entry.of("f", ValueType.FLOAT32, 1.0), Entry.of("i", ValueType.INT64, 1), text("s", "x")]
    after = edited(small_gguf(tmp_path / "x.gguf", entries), {"i": -5, "u": 2, "f": 3, "s": "é"}).metadata
    assert list(after) == ["u", "f", "i", "s"]
    assert dict(after) == {"u": 2, "f": 3.0, "i": -5, "s": "é"}
    assert [after.type_of(key).name for key in after] == ["UINT32", "FLOAT32", "INT64", "STRING"]


def test_new_keys_come_last_with_a_natural_type(tmp_path: Path) -> None:
    changes = {"a": "x", "b": True, "c": 1.5, "d": 7, "e": -7, "f": 1 << 40, "g": -(1 << 40)}
    after = edited(small_gguf(tmp_path / "x.gguf", [uint("z", 1)]), changes).metadata
    assert list(after) == ["z", *changes]
    kinds = ["STRING", "BOOL", "FLOAT32", "UINT32", "INT32", "UINT64", "INT64"]
    assert [after.type_of(key).name for key in changes] == kinds
    assert {key: after[key] for key in changes} == changes


def test_version_2_stays_version_2(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", [text(CHAT, "old")], [tensor("a", (7,))])
    data = bytearray(path.read_bytes())
    data[4] = 2
    path.write_bytes(data)
    assert edited(path, {CHAT: None}).version == 2


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"u": "text"}, UsageError, "u is of type UINT32; 'text' is not"),
        ({"u": True}, UsageError, "UINT32"),
        ({"u": 1.5}, UsageError, "UINT32"),
        ({"u": -1}, UsageError, "does not fit"),
        ({"f": 1e300}, UsageError, "does not fit"),
        ({"s": 1}, UsageError, "STRING"),
        ({"s": "a\0b"}, UsageError, "NUL"),
        ({"s": "\ud800"}, UsageError, "does not fit"),
        ({"new": 1 << 70}, UsageError, "64 bits"),
        ({"": "x"}, UsageError, "is not a metadata key"),
        ({"a": "x"}, UsageError, "a is an array of INT8; 'x' is not"),
        ({"a": [1, 200]}, UsageError, r"a\[1\]: 200 does not fit its type INT8"),
        ({"a": [1, "x"]}, UsageError, r"a\[1\] is of type INT8"),
        ({"new": []}, UsageError, "empty list"),
        ({"new": [1, "x"]}, UsageError, "one type"),
        ({"new": [[1]]}, UsageError, "one type"),
        ({"new": None.__class__}, UsageError, "no value"),
        ({"modelsmith.padding": 1}, UsageError, "room for later edits"),
        ({"f": float("nan")}, UsageError, "finite"),
        ({"general.alignment": 64}, Unsupported, "cannot be edited"),
        ({"general.architecture": None}, Unsupported, "cannot be edited"),
    ],
)
def test_what_cannot_be_set_is_refused(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], reason: str
) -> None:
    entries = [
        uint("u", 1),
        text("s", "x"),
        Entry.of("f", ValueType.FLOAT32, 1.0),
        array_entry("a", ValueType.INT8, [1]),
    ]
    with pytest.raises(error, match=reason):
        EditedGGUF(small_gguf(tmp_path / "x.gguf", entries), changes)


def test_an_array_can_be_removed(tmp_path: Path) -> None:
    path = small_gguf(tmp_path / "x.gguf", [array_entry("a", ValueType.INT8, [1]), uint("u", 1)])
    assert list(edited(path, {"a": None, "missing": None}).metadata) == ["u"]
