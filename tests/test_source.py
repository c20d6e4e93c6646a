"""Spans, edits, lines and columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.source import Edit, Source, Span, apply_edits, spelled


def test_edits_are_spliced_at_once() -> None:
    assert apply_edits("abcdef", [Edit(Span(4, 5), "E"), Edit(Span(0, 2), ""), Edit.insert(2, "-")]) == "-cdEf"


def test_insertions_at_one_place_keep_their_order() -> None:
    assert apply_edits("ab", [Edit.insert(1, "1"), Edit.insert(1, "2")]) == "a12b"


@pytest.mark.parametrize("edits", [[Edit(Span(0, 2), ""), Edit(Span(1, 3), "")], [Edit(Span(2, 9), "")]])
def test_overlapping_or_outside_edits_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps another one or leaves the text"):
        apply_edits("abc", edits)


def test_a_span_is_a_range() -> None:
    with pytest.raises(ValueError, match="not a range"):
        Span(3, 2)
    assert Span(1, 3).of("abcd") == "bc"
    assert Span(1, 3).shift(2) == Span(3, 5)


@pytest.mark.parametrize(
    ("offset", "position"), [(0, (1, 1)), (1, (1, 2)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1)), (5, (4, 1)), (6, (4, 2))]
)
def test_crlf_ends_one_line_and_cr_and_lf_end_one_each(offset: int, position: tuple[int, int]) -> None:
    assert Source("a\r\n\n\rb").position(offset) == position


@given(st.text(alphabet="ab\r\n", max_size=40))
def test_the_lines_hold_the_whole_text(text: str) -> None:
    source = Source(text)
    lines = source.position(len(text))[0]
    assert "".join(source.line_text(line) for line in range(1, lines + 1)) == text.replace("\r", "").replace("\n", "")


def test_characters_that_steer_a_terminal_are_spelled() -> None:
    undecodable = b"\x89".decode(errors="surrogateescape")
    assert [spelled(char) for char in ("\x1b", undecodable, "\u2028", "\ud800", "\U000e0001")] == [
        r"\x1b",
        r"\x89",
        r"\u2028",
        r"\ud800",
        r"\U000e0001",
    ]
