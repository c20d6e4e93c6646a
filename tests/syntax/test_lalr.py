"""Lark's tables in our own loop: the same values as lark's, and an error for what the grammar does not allow."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from modelsmith.syntax.tables.grammar import build, tables_of
from modelsmith.syntax.tables.lalr import Tables, UnexpectedTerminal

GRAMMAR = """
%declare NUMBER PLUS OPEN CLOSE
start: sum
sum: item -> one
   | sum PLUS item -> more
item: NUMBER -> number
    | OPEN sum CLOSE -> group
    | OPEN CLOSE -> nothing
"""


class Terminal(NamedTuple):
    type: str
    value: int = 0


class Calculator:
    def start(self, parts: list[int]) -> int:
        return parts[0]

    one = start

    def more(self, parts: list[int]) -> int:
        return parts[0] + parts[2]

    def number(self, parts: list[Terminal]) -> int:
        return parts[0].value

    def group(self, parts: list[int]) -> int:
        return parts[1]

    def nothing(self, _parts: list[int]) -> int:
        return 0


TABLES = Tables(tables_of(build(GRAMMAR, declared=True)), Calculator())


def terminals(text: str) -> list[Terminal]:
    names = {"+": "PLUS", "(": "OPEN", ")": "CLOSE"}
    return [Terminal(names[char]) if char in names else Terminal("NUMBER", int(char)) for char in text]


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("1+2+3", 6), ("(1+2)+(())+()+4", 7), ("((9))", 9)])
def test_values(text: str, value: int) -> None:
    assert TABLES.run(terminals(text)) == value


@pytest.mark.parametrize(("text", "wrong"), [("1+)", "CLOSE"), ("12", "NUMBER"), ("+", "PLUS"), ("1)", "CLOSE")])
def test_what_is_not_allowed(text: str, wrong: str) -> None:
    with pytest.raises(UnexpectedTerminal) as caught:
        TABLES.run(terminals(text))
    assert caught.value.terminal.type == wrong


@pytest.mark.parametrize("text", ["", "1+", "(1"])
def test_an_end_that_is_too_early(text: str) -> None:
    with pytest.raises(UnexpectedTerminal):
        TABLES.run(terminals(text))
