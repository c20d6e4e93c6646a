from __future__ import annotations

import pytest

from modelsmith.template.chat_formats.grammar import (
    Parser,
    ahead,
    content,
    end,
    literal,
    not_ahead,
    optional,
    reasoning,
    repeat,
    rest,
    space,
    spaced,
    until,
    whole,
)

TAGGED = optional("<t>" + reasoning(until("</t>")) + "</t>") >> content(rest())


def read(parser: Parser, text: str) -> tuple[int, bool, list[tuple[str, str]]] | None:
    match = parser.at(text, 0)
    return None if match is None else (match.end, match.cut, list(match.captures))


@pytest.mark.parametrize(
    ("parser", "text", "expected"),
    [
        (literal("abc"), "abcd", (3, False, [])),
        (literal("abc"), "ab", (2, True, [])),
        (literal("abc"), "", (0, True, [])),
        (literal("abc"), "abd", None),
        (literal(""), "x", (0, False, [])),
        (space(), " \t\n\v\f\r\u00a0", (6, False, [])),
        (until("</t>"), "one</t>two", (3, False, [])),
        (until("</t>"), "one</", (3, False, [])),
        (until("</t>"), "one", (3, True, [])),
        (until("</t>", "<x"), "a<x</t>", (1, False, [])),
        (until("ab", "bcd"), "xabc", (1, False, [])),
        (until(""), "all", (3, True, [])),
        (rest(), "all", (3, True, [])),
        (end(), "", (0, False, [])),
        (end(), "x", None),
        (repeat(literal("a")), "aab", (2, False, [])),
        (repeat(literal("ab")), "aba", (3, True, [])),
        (repeat(literal("a"), least=2), "ab", None),
        (repeat(literal("a"), least=2), "a", (1, True, [])),
        (repeat(literal("a"), most=1), "aa", (1, False, [])),
        (repeat(literal("")), "aa", (0, False, [])),
        (optional("a"), "", (0, False, [])),
        (literal("a") | "b", "b", (1, False, [])),
        (literal("a") | "b", "c", None),
        (ahead(literal("a")), "a", (0, False, [])),
        (ahead(literal("ab")), "a", (0, True, [])),
        (ahead(literal("a")), "b", None),
        (not_ahead(literal("a")), "b", (0, False, [])),
        (not_ahead(literal("a")), "a", None),
        (not_ahead(literal("ab")), "a", (0, True, [])),
        (whole(content(until("x"))), "ab", (2, True, [])),
        (whole(content(until("x"))), "abx", (2, False, [("content", "ab")])),
        ("(" + content(until(")")) >> ")", "(a)", (3, False, [("content", "a")])),
        (spaced("\n<t>\n\n"), "\n<t>\nx", (5, False, [])),
        (spaced("\n<t>\n\n"), "<t>", (3, False, [])),
        (spaced("\n"), "x", (0, False, [])),
        (spaced("<t>"), "<x>", None),
    ],
)
def test_parsers(parser: Parser, text: str, expected: tuple[int, bool, list[tuple[str, str]]] | None) -> None:
    assert read(parser, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<t>why</t> so", [("reasoning", "why"), ("content", "so")]),
        ("so", [("content", "so")]),
        ("<t>why", [("reasoning", "why")]),
        ("<t>why</", [("reasoning", "why")]),
        ("<", []),
    ],
)
def test_reasoning_before_an_answer(text: str, expected: list[tuple[str, str]]) -> None:
    match = TAGGED.at(text, 0)
    assert match is not None
    assert list(match.captures) == expected


def test_a_long_answer_is_read_in_no_time() -> None:
    text = "<t>" + "a<" * 200_000 + "</t>" + "b</" * 200_000
    match = TAGGED.at(text, 0)
    assert match is not None
    assert [len(each) for _, each in match.captures] == [400_000, 600_000]
