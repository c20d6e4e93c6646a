"""Types and values of metadata: what texts and JSON become, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import UsageError
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.values import (
    ValueKind,
    entry_of,
    item_of,
    natural_kind,
    parse_value,
    usual_kind,
    with_item,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
LISTS = st.one_of(
    st.lists(TEXTS, min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
)


@given(LISTS | TEXTS | st.booleans() | st.integers(-(2**63), 2**64 - 1))
def test_what_is_written_is_read_again(value: Any) -> None:
    decoded = entry_of("k", natural_kind("k", value), value).decode()
    assert (list(decoded) if isinstance(decoded, GGUFArray) else decoded) == value


@given(LISTS, st.data())
def test_one_item_changes_and_no_other(value: list[Any], data: st.DataObject) -> None:
    entry = entry_of("k", natural_kind("k", value), value)
    index, other = data.draw(st.integers(0, len(value) - 1)), data.draw(st.sampled_from(value))
    changed = with_item("k", entry, index, other)
    assert list(changed.decode()) == [*value[:index], other, *value[index + 1 :]]
    assert item_of("k", changed, index).decode() == other


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("u32", ValueKind(ValueType.UINT32)),
        ("UINT32", ValueKind(ValueType.UINT32)),
        ("f64", ValueKind(ValueType.FLOAT64)),
        ("float32", ValueKind(ValueType.FLOAT32)),
        ("str", ValueKind(ValueType.STRING)),
        ("[i8]", ValueKind(ValueType.ARRAY, ValueType.INT8)),
        (" [string] ", ValueKind(ValueType.ARRAY, ValueType.STRING)),
    ],
)
def test_names_of_types(text: str, kind: ValueKind) -> None:
    assert ValueKind.parse(text) == kind


@pytest.mark.parametrize("text", ["", "u33", "array", "[array]", "[[u8]]", "[u8", "int", "[]"])
def test_no_types(text: str) -> None:
    with pytest.raises(UsageError, match="no type of a metadata value"):
        ValueKind.parse(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("u32", "4096", 4096),
        ("u32", "0x10", 16),
        ("i32", "-7", -7),
        ("f32", "1e-5", 1e-5),
        ("f32", "3", 3.0),
        ("bool", "true", True),
        ("string", "", ""),
        ("string", "7", "7"),
        ("[string]", '["a", "b"]', ["a", "b"]),
        ("[i32]", "[]", []),
    ],
)
def test_texts_of_the_command_line(kind: str, text: str, value: object) -> None:
    assert parse_value("k", ValueKind.parse(kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("u32", "4096.0", "k is of type UINT32"),
        ("u32", "", "k is of type UINT32"),
        ("u32", "٣", "k is of type UINT32"),
        ("u32", "1_000", "k is of type UINT32"),
        ("f32", "x", "k is of type FLOAT32"),
        ("bool", "1", "k is of type BOOL"),
        ("bool", "True", "k is of type BOOL"),
        ("[u8]", "[1", "line 1, column 3"),
        ("[u8]", "1", "no JSON list"),
        ("[u8]", "[" * 100_000, "not JSON|nested too deeply"),
    ],
)
def test_texts_that_are_no_values(kind: str, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_value("k", ValueKind.parse(kind), text)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "x", True, None, [1]])
def test_values_that_no_number_is(value: object) -> None:
    with pytest.raises(UsageError):
        entry_of("k", ValueKind(ValueType.FLOAT32), value)


def test_usual_types() -> None:
    assert str(usual_kind("general.name")) == "STRING"
    assert str(usual_kind("general.tags")) == "array of STRING"
    assert str(usual_kind("general.sampling.temp")) == "FLOAT32"
    assert str(usual_kind("general.sampling.top_k")) == "INT32"
    assert str(usual_kind("general.sampling.sequence")) == "STRING"
    assert str(usual_kind("tokenizer.ggml.eot_token_id")) == "UINT32"
    assert str(usual_kind("tokenizer.ggml.add_bos_token")) == "BOOL"
    assert str(usual_kind("qwen2.rope.freq_base")) == "FLOAT32"
    assert usual_kind("my.own") is None


def test_items_that_are_not_there() -> None:
    entry = entry_of("k", ValueKind.parse("[u8]"), [1, 2])
    for place in (-1, 2):
        with pytest.raises(UsageError, match="there is no"):
            with_item("k", entry, place, 1)
    with pytest.raises(UsageError, match="there is no"):
        item_of("k", entry, 2)
    with pytest.raises(UsageError, match="no array"):
        item_of("k", entry_of("k", ValueKind.parse("u8"), 1), 0)
    with pytest.raises(UsageError, match=r"k\[1\]: 256 does not fit"):
        with_item("k", entry, 1, 256)
