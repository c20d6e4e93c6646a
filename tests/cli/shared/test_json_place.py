"""Where a value stands in a JSON text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelsmith.cli.shared.json_place import locate, path_in

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(leaf for key, each in inner for leaf in leaves(each, (*path, key)))]


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_every_value_is_found(value: Any, indent: int | None) -> None:
    text = f" {json.dumps(value, indent=indent)} "
    for path, each in leaves(value):
        span = locate(text, path)
        assert span is not None
        assert json.loads(span.of(text)) == each


@given(st.text(max_size=20))
def test_any_text_is_survived(text: str) -> None:
    locate(text, ("messages", 0))


def test_a_path_is_followed_as_far_as_it_goes() -> None:
    span = locate('{"a": [1, {"b": 2}]}', ("a", 1, "c", 4))
    assert span is not None
    assert span.of('{"a": [1, {"b": 2}]}') == '{"b": 2}'


def test_of_two_keys_the_last_counts() -> None:
    span = locate('{"a": 1, "a": 2}', ("a",))
    assert span is not None
    assert span.start == 14


def test_paths_in_messages() -> None:
    assert path_in("messages[0].tool_calls[12].function is a number") == ("messages", 0, "tool_calls", 12, "function")
    assert path_in("") == ()
