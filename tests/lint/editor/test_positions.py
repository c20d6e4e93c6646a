"""Places as editors count them, against Python's own codecs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.lint.editor.changes import changes
from modelsmith.lint.editor.positions import Position, Positions
from modelsmith.source import apply_edits

TEXT = st.text(st.sampled_from("ab \n\r\t😀漢é\u2028\x0c\ud83d"), max_size=40)
UNITS = st.sampled_from(["utf-8", "utf-16", "utf-32"])
WIDTHS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


@given(TEXT, UNITS, st.integers(0, 45))
def test_columns_are_lengths_in_the_encoding(text: str, unit: str, offset: int) -> None:
    line, column = Positions(text, unit).at(offset)
    head = text[:offset]
    if offset < len(text) and head.endswith("\r") and text[offset] == "\n":
        return  # between CR and LF there is no position of its own
    lines = re.split(r"\r\n|\r|\n", head)
    codec = unit if unit == "utf-8" else f"{unit}-le"
    assert line == len(lines) - 1
    assert column == len(lines[-1].encode(codec, "surrogatepass")) // WIDTHS[unit]


@given(TEXT, UNITS)
def test_every_place_that_can_be_named_comes_back(text: str, unit: str) -> None:
    positions = Positions(text, unit)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert positions.offset(*positions.at(offset)) == offset


@given(TEXT, UNITS, st.integers(0, 50), st.integers(0, 200))
def test_any_position_is_somewhere_in_the_text(text: str, unit: str, line: int, column: int) -> None:
    offset = Positions(text, unit).offset(line, column)
    assert 0 <= offset <= len(text)
    found = Positions(text, unit).at(offset)
    assert (found.line, found.column) <= (line, column)


@pytest.mark.parametrize(
    ("line", "column", "offset"),
    [(0, 0, 0), (0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 99, 2), (1, 0, 4), (1, 9, 5), (7, 0, 5)],
)
def test_half_of_a_character_is_its_start_and_beyond_a_line_is_its_end(line: int, column: int, offset: int) -> None:
    assert Positions("😀a\r\nb", "utf-16").offset(line, column) == offset


def test_lines_end_with_lf_crlf_and_cr_only() -> None:
    positions = Positions("a\u2028b\x0bc\r\nd\re\n")
    assert positions.lines == 4
    assert positions.at(7) == Position(1, 0)


@given(TEXT, TEXT)
def test_changes_make_one_text_of_the_other(before: str, after: str) -> None:
    assert apply_edits(before, changes(before, after)) == after


def test_changes_leave_the_lines_between_alone() -> None:
    before, after = "one\ntwo\nthree\nfour\n", "ONE\ntwo\nthree\nfour, five\n"
    edits = changes(before, after)
    assert [(edit.span.of(before), edit.text) for edit in edits] == [("one", "ONE"), ("", ", five")]
    assert changes("x\n" * 4_000, "y" + "x\n" * 4_000)[0].text == "y"
