"""Prompts cut into pieces, and the shortest difference between two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.template.effective.prompt_tokens import MOST_EDITS, difference, pieces

TEXTS = st.lists(
    st.sampled_from(["<|a|>", "[INST]", " ", "\n", "x", "yy", "  ", "<think>", ",", "\t", "\r\n", "<", "|", "\u202e"]),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("prompt", "kinds"),
    [
        ("<|im_start|>user\n", "special word break"),
        ("<｜User｜>Hi  there", "special word blank word"),
        ("[INST] [/INST]<<SYS>></s>", "special blank special special special"),
        ("<start_of_turn><think>x</think>", "special special word special"),
        ("a<b, [1] {x}\r\n", "word other word other blank other word other blank other word other break"),
        ("", ""),
    ],
)
def test_pieces_are_what_a_person_sees(prompt: str, kinds: str) -> None:
    assert [piece.kind for piece in pieces(prompt)] == kinds.split()


@given(TEXTS, TEXTS)
def test_both_prompts_are_in_the_difference(before: str, after: str) -> None:
    assert "".join(piece.text for piece in pieces(before)) == before
    shown = difference(before, after)
    assert "".join(piece.text for piece in shown if piece.change != "added") == before
    assert "".join(piece.text for piece in shown if piece.change != "removed") == after
    if before == after:
        assert shown == pieces(before)


def changes(before: str, after: str) -> list[tuple[str, str]]:
    return [(piece.change, piece.text) for piece in difference(before, after) if piece.change != "same"]


def test_only_what_differs_is_marked() -> None:
    assert changes("<|user|>hello<|assistant|>", "<|user|>hello<|assistant|><think>\n") == [
        ("added", "<think>"),
        ("added", "\n"),
    ]
    assert changes("be a pilot now", "be a poet now") == [("removed", "pilot"), ("added", "poet")]
    assert changes("a b", "a  b") == [("removed", " "), ("added", "  ")]


def test_blanks_between_changes_are_changed_with_them() -> None:
    assert changes("one two three", "eins zwei three") == [
        *(("removed", text) for text in ("one", " ", "two")),
        *(("added", text) for text in ("eins", " ", "zwei")),
    ]


def test_hostile_prompts_do_not_take_long() -> None:
    before, after = (" ".join(f"{letter}{number}" for number in range(20 * MOST_EDITS)) for letter in "ab")
    shown = difference(f"start {before} end", f"start {after} end")
    assert [shown[0].text, shown[-1].text] == ["start", "end"]
    assert {piece.change for piece in shown} == {"same", "removed", "added"}
