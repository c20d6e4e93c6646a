from __future__ import annotations

import pytest

from modelsmith.template.chat_formats.markers import as_bytes, as_text, difference, segments, shared_start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("a<b>c", ["a", "<b>", "c"]),
        ("<b>[c]", ["<b>", "[c]"]),
        ("<a [b]>c", ["<a [b]>", "c"]),
        ("a<b", ["a", "<b"]),
        ("<|im_start|>user\nHi<|im_end|>\n", ["<|im_start|>", "user\nHi", "<|im_end|>", "\n"]),
    ],
)
def test_segments(text: str, expected: list[str]) -> None:
    assert [segment.text for segment in segments(text)] == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("", "new", ("", "", "", "new")),
        ("old", "", ("", "", "old", "")),
        ("same", "same", ("same", "", "", "")),
        ("<a>x<b>", "<a>y<b>", ("<a>", "<b>", "x", "y")),
        ("<a>one two<b>", "<a>one more<b>", ("<a>one ", "<b>", "two", "more")),
        ("<a>\n", "<a>\n<think>\n", ("<a>\n", "", "", "<think>\n")),
        ("<a><think></think>", "<a><think>", ("<a><think>", "", "</think>", "")),
        ("<a>no<b>\n", "<a><t>yes</t>no<b>\n", ("<a>", "no<b>\n", "", "<t>yes</t>")),
    ],
)
def test_difference(left: str, right: str, expected: tuple[str, str, str, str]) -> None:
    found = difference(left, right)
    assert (found.prefix, found.suffix, found.left, found.right) == expected


@pytest.mark.parametrize("text", ["", "plain", "<｜Assistant｜>", "\ud83d", "é"])
def test_one_character_a_byte(text: str) -> None:
    data = as_bytes(text)
    assert max(map(ord, data), default=0) < 256
    assert as_text(data) == text or "\ud83d" in text


def test_half_a_character_is_kept() -> None:
    one, other = as_bytes("ä"), as_bytes("é")
    rest = as_text(other[shared_start(one, other) :])
    assert rest.encode("utf-8", "surrogateescape") == "é".encode()[1:]
